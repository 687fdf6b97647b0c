package workflow

import (
	"cmp"
	"fmt"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/permission"
	"github.com/pdflow/pdflow/engine/source"
)

func readInputs(n source.Node, w *Workflow) {
	n.Entries("inputs", func(name string, key, v source.Node) {
		key.CheckIdentifier(name, "an input")
		readInput(name, key, v, w)
	})
}

// readInput reads one declaration. The default is checked last, when the type and
// the rules of the input are known.
func readInput(name string, key, n source.Node, w *Workflow) {
	f := action.Field{Name: name, Type: action.Type{Name: action.StringType}}
	if target, ok := n.Resolve(); ok && target.IsScalar() && target.Scalar() == nil {
		w.Inputs.Fields = append(w.Inputs.Fields, f) // `host:` alone declares an optional string
		return
	}
	b := binding{secret: SecretBinding{Name: "inputs." + name, Position: key.Position()}, what: "the input " + source.Clip(name), isInput: true}
	var defaultNode *source.Node
	b.keys = []source.Key{
		{Name: "type", Read: func(v source.Node) { f.Type.Name = readInputType(v) }},
		{Name: "description", Read: func(v source.Node) { f.Doc = v.Text("description") }},
		{Name: "required", Read: func(v source.Node) { f.Required = v.Bool("required") }},
		{Name: "default", Read: func(v source.Node) { defaultNode = &v }},
		{Name: "enum", Read: func(v source.Node) {
			v.Items("enum", func(item source.Node) { f.Enum = append(f.Enum, item.Text("a value of enum")) })
		}},
		{Name: "format", Read: func(v source.Node) { f.Format = v.OneOf("format", "format", "unknown-format", action.Formats()...) }},
		{Name: "secret", Read: func(v source.Node) {
			before := v.Document().Count()
			b.isSecret = v.Bool("secret") || v.Document().Count() > before // `secret: yes` is meant so: no message quotes its default
		}},
		{Name: "hosts", Read: func(v source.Node) { b.secret.Hosts = permission.ReadHosts(v) }},
	}
	n.OpenMapping(b.what, b.keys, b.other)
	if (len(f.Enum) > 0 || f.Format != "" || b.isSecret) && f.Type.Name != action.StringType {
		key.Report("input-type", fmt.Sprintf("enum, format and secret are for inputs of type string, %s is of type %s", source.Clip(name), f.Type.Name), "")
		f.Enum, f.Format, b.isSecret, defaultNode = nil, "", false, nil
	}
	switch {
	case b.isSecret:
		f.Type.Credential = true
		if defaultNode != nil {
			defaultNode.Report("literal-secret", "a secret input has no default: its text would be in the file", "leave it out")
		}
		w.Secrets = append(w.Secrets, b.secret)
	case defaultNode != nil:
		readDefault(&f, *defaultNode)
	}
	if b.isSecret || len(b.secret.Hosts) > 0 || len(b.others) > 0 {
		w.bindings = append(w.bindings, b)
	}
	w.Inputs.Fields = append(w.Inputs.Fields, f)
}

func readInputType(n source.Node) string {
	return cmp.Or(n.OneOf("type", "type", "unknown-type", action.InputTypes()...), action.StringType)
}

func readDefault(f *action.Field, n source.Node) {
	if f.Required {
		n.Report("required-default", fmt.Sprintf("the input %s is required and has a default", source.Clip(f.Name)), "drop one of the two")
	}
	v := n.Data("default", "a default")
	if v == nil {
		n.Report("null-value", "the default is null", "leave `default` out: the input is then nil")
		return
	}
	normal, problems := f.Normalize(v)
	for _, problem := range problems {
		n.Report("bad-default", "the default does not fit: "+problem.Message, problem.Hint)
	}
	if len(problems) == 0 {
		f.Default = normal
	}
}
