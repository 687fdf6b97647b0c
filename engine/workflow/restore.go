package workflow

import "golang.org/x/tools/txtar"

// Restore parses a workflow from the sources of a plan, as a journal keeps them: the
// workflow first, then its Lua files. The error is the error of Parse.
func Restore(sources []Source) (*Workflow, error) {
	if len(sources) == 0 {
		sources = []Source{{}}
	}
	w, err := Parse(sources[0].Name, sources[0].Text)
	var folder txtar.Archive
	for _, s := range sources[1:] {
		folder.Files = append(folder.Files, txtar.File{Name: s.Name, Data: s.Text})
	}
	if files, invalid := txtar.FS(&folder); invalid == nil { // the names of a plan are valid
		w.Files = files
	}
	return w, err
}
