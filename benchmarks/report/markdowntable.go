package report

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// tablesOf are the tables of a Markdown text.
func tablesOf(text string) []table {
	var all []table
	inside := false
	for line := range strings.Lines(text) {
		cells, ok := cellsOf(line)
		switch {
		case !ok:
			inside = false
		case !inside:
			all = append(all, table{head: cells})
			inside = true
		case !ruler(cells):
			t := &all[len(all)-1]
			t.rows = append(t.rows, cells)
		}
	}
	return all
}

// cellsOf are the cells of a line of a table.
func cellsOf(line string) (cells []string, ok bool) {
	line = strings.TrimSpace(line)
	if !strings.HasPrefix(line, "| ") || !strings.HasSuffix(line, " |") {
		return nil, false
	}
	return strings.Split(line[2:len(line)-2], " | "), true
}

// ruler reports whether the cells are those of the line below a table's head.
func ruler(cells []string) bool {
	return !slices.ContainsFunc(cells, func(c string) bool { return c != "---" })
}

// column is the number of the first column whose head begins with a text, or -1.
func (t *table) column(start string) int {
	return slices.IndexFunc(t.head, func(c string) bool { return strings.HasPrefix(c, start) })
}

// cell is a row's cell in a column, "-" for one that is not there.
func cell(row []string, column int) string {
	if column < 0 || column >= len(row) {
		return "-"
	}
	return row[column]
}

// numbers are those of "0.24 (0.235 … 0.247)", "63.62%", "0.5; 1 diverged".
var numbers = regexp.MustCompile(`[-+]?[0-9.]+(?:e[-+]?[0-9]+)?`)

// spreadIn reads a spread as spread.text, percents and spread.bleu write it.
func spreadIn(cell string) (s spread, ok bool) {
	cell, _, _ = strings.Cut(cell, ";")
	var x []float64
	for _, word := range numbers.FindAllString(cell, -1) {
		v, err := strconv.ParseFloat(word, 64)
		if err != nil {
			return spread{}, false
		}
		x = append(x, v)
	}
	switch {
	case strings.HasPrefix(cell, "diverged") || len(x) == 0:
		return spread{}, false
	case len(x) >= 3:
		return spread{x[0], x[1], x[2]}, true
	}
	return spread{x[0], x[0], x[0]}, true
}

// orDash is a cell that is not empty.
func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}
