package mlflow

import (
	"encoding/json"
	"os/exec"
	"testing"

	"github.com/apo-gorgonia/apo/apoops/python"
)

// fileStore reads a store as MLflow's FileStore does (mlflow/store/tracking/file_store.py),
// with its checks, and prints it as JSON. Numbers are texts, as JSON has no NaN.
const fileStore = `
import json, os, posixpath, re, sys, yaml

NAME = re.compile(r"^[/\w.\- ]*$")
RUN_ID = re.compile(r"^[a-zA-Z0-9][\w\-]{0,255}$")
EXPERIMENT_ID = re.compile(r"^[a-zA-Z0-9][\w\-]{0,63}$")
STATUS = {1: "RUNNING", 2: "SCHEDULED", 3: "FINISHED", 4: "FAILED", 5: "KILLED"}

def files(folder):
    for root, _, names in os.walk(folder):
        for n in names:
            name = os.path.relpath(os.path.join(root, n), folder)
            assert NAME.match(name) and posixpath.normpath(name) == name and not name.startswith(("..", "/")), name
            with open(os.path.join(root, n), encoding="utf-8") as f:
                yield name, f.read()

def metric(name, text):
    values = []
    for line in text.splitlines():
        parts = line.strip().split(" ")
        assert len(parts) in (2, 3), (name, line)
        values.append([int(parts[0]), repr(float(parts[1])), int(parts[2])])
    assert values, "metric %s is malformed: no data found" % name
    return values

store = {}
root = sys.argv[1]
for experiment in sorted(os.listdir(root)):
    assert EXPERIMENT_ID.match(experiment), experiment
    with open(os.path.join(root, experiment, "meta.yaml"), encoding="utf-8") as f:
        meta = yaml.safe_load(f)
    assert meta["experiment_id"] == experiment and meta["lifecycle_stage"] == "active", meta
    assert isinstance(meta["creation_time"], int) and isinstance(meta["last_update_time"], int), meta
    runs = store[meta["name"]] = {"artifact_location": meta["artifact_location"], "runs": {}}
    for run in sorted(os.listdir(os.path.join(root, experiment))):
        folder = os.path.join(root, experiment, run)
        if run in ("tags", "datasets", "traces") or not os.path.isdir(folder):
            continue
        assert RUN_ID.match(run), run
        with open(os.path.join(folder, "meta.yaml"), encoding="utf-8") as f:
            meta = yaml.safe_load(f)
        assert meta["run_id"] == meta["run_uuid"] == run and meta["experiment_id"] == experiment, meta
        assert meta["lifecycle_stage"] == "active" and meta["deleted_time"] is None and meta["tags"] == [], meta
        assert isinstance(meta["user_id"], str) and isinstance(meta["start_time"], int) and meta["source_type"] == 4, meta
        runs["runs"][meta["run_name"]] = {
            "status": STATUS[meta["status"]], "start": meta["start_time"], "end": meta["end_time"], "artifact_uri": meta["artifact_uri"],
            "metrics": {n: metric(n, text) for n, text in files(os.path.join(folder, "metrics"))},
            "params": dict(files(os.path.join(folder, "params"))), "tags": dict(files(os.path.join(folder, "tags"))),
        }
print(json.dumps(store))
`

type storedRun struct {
	Status      string
	Start       int64
	End         *int64
	ArtifactURI string `json:"artifact_uri"`
	Metrics     map[string][][3]any
	Params      map[string]string
	Tags        map[string]string
}

type storedExperiment struct {
	ArtifactLocation string `json:"artifact_location"`
	Runs             map[string]storedRun
}

// readStore is skipped without a Python that has PyYAML.
func readStore(t *testing.T, folder string) map[string]storedExperiment {
	t.Helper()
	python := python.With(t.Context(), "yaml")
	if python == "" {
		t.Skip("no python3 with PyYAML on this machine")
	}
	out, err := exec.Command(python, "-c", fileStore, folder).Output()
	if e, ok := err.(*exec.ExitError); ok {
		t.Fatalf("the file store is refused:\n%s", e.Stderr)
	} else if err != nil {
		t.Fatal(err)
	}
	var store map[string]storedExperiment
	if err := json.Unmarshal(out, &store); err != nil {
		t.Fatal(err)
	}
	return store
}
