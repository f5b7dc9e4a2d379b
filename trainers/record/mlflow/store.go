package mlflow

import (
	"cmp"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/pkg/errors"

	"github.com/apo-gorgonia/apo/trainers/durable"
)

// Config names a run.
type Config struct {
	// Folder is the store's, which any number of runs share; mlruns by default.
	Folder string
	// Experiment is the name of what runs are compared in; Default by default.
	Experiment string
	// Run is the name of the run. It must not be empty.
	Run string
	// Params are the settings of the run, by name. What MLflow does not allow in a name
	// becomes an underscore; two that are then the same are an error.
	Params map[string]string
}

const (
	defaultFolder     = "mlruns"
	defaultExperiment = "Default"
	metaFile          = "meta.yaml"
)

// The states of a run, those of MLflow's RunStatus.
const (
	running  = 1
	finished = 3
	killed   = 5
)

// sourceLocal is MLflow's SourceType of a program on this machine.
const sourceLocal = 4

// run is the folder of a run, with what its meta.yaml has.
type run struct {
	dir, experiment, id, name string
	start                     int64 // milliseconds since 1970
}

// openStore finds or makes the experiment and the run's folder. A run that begins removes
// an earlier one of its name.
func openStore(c Config, steps int, now time.Time) (*run, error) {
	if c.Run == "" {
		return nil, errors.New("mlflow: Config.Run is empty")
	}
	if steps < 0 {
		return nil, errors.Errorf("mlflow: run %q of %d steps", c.Run, steps)
	}
	root, err := filepath.Abs(cmp.Or(c.Folder, defaultFolder))
	if err != nil {
		return nil, errors.Wrap(err, "mlflow: Config.Folder")
	}
	if err := os.MkdirAll(root, 0o777); err != nil {
		return nil, errors.Wrap(err, "mlflow: Config.Folder")
	}
	name := cmp.Or(c.Experiment, defaultExperiment)
	experiment, err := openExperiment(root, name, now)
	if err != nil {
		return nil, errors.Wrapf(err, "mlflow: experiment %q", name)
	}
	id := runID(name, c.Run)
	r := &run{dir: filepath.Join(root, experiment, id), experiment: experiment, id: id, name: c.Run, start: now.UnixMilli()}
	if steps == 0 {
		if err := os.RemoveAll(r.dir); err != nil {
			return nil, errors.Wrapf(err, "mlflow: run %q", c.Run)
		}
	} else if old, err := os.ReadFile(filepath.Join(r.dir, metaFile)); err == nil {
		if start, err := strconv.ParseInt(valueIn(old, "start_time"), 10, 64); err == nil {
			r.start = start
		}
	}
	return r, errors.Wrapf(r.create(c), "mlflow: run %q", c.Run)
}

// openExperiment finds the experiment's folder by its name, or makes it. The default one is
// made too where it is missing, as MLflow does.
func openExperiment(root, name string, now time.Time) (id string, err error) {
	entries, err := os.ReadDir(root)
	if err != nil {
		return "", err
	}
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(root, e.Name(), metaFile))
		if err == nil && valueIn(text, "name") == name {
			return e.Name(), nil
		}
	}
	for _, n := range slices.Compact([]string{defaultExperiment, name}) {
		id = experimentID(n)
		dir := filepath.Join(root, id)
		if _, err := os.Stat(filepath.Join(dir, metaFile)); err == nil {
			if n != name {
				continue // the default one, under another name
			}
			return "", errors.Errorf("%s is another experiment's", dir)
		}
		if err := makeExperiment(dir, n, now); err != nil {
			return "", err
		}
	}
	return id, nil
}

func makeExperiment(dir, name string, now time.Time) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	return writeMeta(dir, field{"artifact_location", fileURI(dir)}, field{"creation_time", now.UnixMilli()}, field{"experiment_id", filepath.Base(dir)},
		field{"last_update_time", now.UnixMilli()}, field{"lifecycle_stage", "active"}, field{"name", name})
}

func writeMeta(dir string, fields ...field) error {
	text, err := yamlOf(fields...)
	if err != nil {
		return err
	}
	return durable.WriteFile(filepath.Join(dir, metaFile), text)
}

// create makes the folders of a run and writes what does not change.
func (r *run) create(c Config) error {
	for _, kind := range []string{"metrics", "params", "tags", "artifacts"} {
		if err := os.MkdirAll(filepath.Join(r.dir, kind), 0o777); err != nil {
			return err
		}
	}
	written := map[string]string{} // names of parameters by those of their files
	for _, name := range slices.Sorted(maps.Keys(c.Params)) {
		file := fileName(name)
		if other, ok := written[file]; ok {
			return errors.Errorf("Config.Params: %q and %q are both %q in MLflow", other, name, file)
		}
		written[file] = name
		if err := r.write("params", file, []byte(c.Params[name])); err != nil {
			return err
		}
	}
	for name, value := range map[string]string{
		"mlflow.runName": r.name, "mlflow.user": user(), "mlflow.source.type": "LOCAL", "mlflow.source.name": filepath.Base(os.Args[0]),
	} {
		if err := r.write("tags", name, []byte(value)); err != nil {
			return err
		}
	}
	return r.setStatus(running, time.Time{})
}

// write writes a file of the run in a single step.
func (r *run) write(kind, name string, content []byte) error {
	path := filepath.Join(r.dir, kind, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	return durable.WriteFile(path, content)
}

// setStatus writes the run's meta.yaml. end is zero for a run that goes on.
func (r *run) setStatus(status int, end time.Time) error {
	var endTime any
	if !end.IsZero() {
		endTime = end.UnixMilli()
	}
	return writeMeta(r.dir, field{"artifact_uri", fileURI(filepath.Join(r.dir, "artifacts"))}, field{"deleted_time", nil}, field{"end_time", endTime},
		field{"entry_point_name", ""}, field{"experiment_id", r.experiment}, field{"lifecycle_stage", "active"}, field{"run_id", r.id},
		field{"run_name", r.name}, field{"run_uuid", r.id}, field{"source_name", ""}, field{"source_type", sourceLocal}, field{"source_version", ""},
		field{"start_time", r.start}, field{"status", status}, field{"tags", []string{}}, field{"user_id", user()})
}

func user() string { return cmp.Or(os.Getenv("USER"), os.Getenv("USERNAME"), "unknown") }

// fileURI is an absolute path as MLflow names it.
func fileURI(path string) string {
	path = filepath.ToSlash(path)
	if path[0] != '/' {
		path = "/" + path // a drive of Windows
	}
	return (&url.URL{Scheme: "file", Path: path}).String()
}
