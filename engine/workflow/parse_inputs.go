package workflow

import (
	"fmt"
	"strings"

	"github.com/pdflow/pdflow/engine/action"
	"gopkg.in/yaml.v3"
)

func (p *parser) inputs(n *yaml.Node, w *Workflow) {
	p.entries(n, "inputs", func(name string, keyNode, v *yaml.Node) {
		p.identifier(keyNode, name, "an input")
		p.input(name, keyNode, v, w)
	})
}

// input reads one declaration. A default is checked once the rest is known.
func (p *parser) input(name string, keyNode, n *yaml.Node, w *Workflow) {
	f := action.Field{Name: name, Type: action.Type{Name: action.StringType}}
	binding := SecretBinding{Name: "inputs." + name, Position: Position{keyNode.Line, keyNode.Column}}
	secret := false
	var defaultNode *yaml.Node
	if target := p.resolve(n); target != nil && target.Kind == yaml.ScalarNode && p.scalar(target) == nil {
		w.Inputs.Fields = append(w.Inputs.Fields, f) // `host:` alone declares an optional string
		return
	}
	p.mapping(n, fmt.Sprintf("the input %s", clipped(name)),
		key{name: "type", read: func(v *yaml.Node) { f.Type = p.inputType(v) }},
		key{name: "description", read: func(v *yaml.Node) { f.Doc = p.text(v, "description") }},
		key{name: "required", read: func(v *yaml.Node) { f.Required = p.boolean(v, "required") }},
		key{name: "default", read: func(v *yaml.Node) { defaultNode = v }},
		key{name: "enum", read: func(v *yaml.Node) {
			p.items(v, "enum", func(item *yaml.Node) { f.Enum = append(f.Enum, p.text(item, "a value of enum")) })
		}},
		key{name: "format", read: func(v *yaml.Node) { f.Format = p.format(v) }},
		key{name: "secret", read: func(v *yaml.Node) { secret = p.boolean(v, "secret") }},
		key{name: "hosts", read: func(v *yaml.Node) { binding.Hosts = p.hosts(v) }},
		key{name: "service_key", read: func(v *yaml.Node) { binding.ServiceKey = p.boolean(v, "service_key") }},
	)
	if (len(f.Enum) > 0 || f.Format != "" || secret) && f.Type.Name != action.StringType {
		p.report(keyNode, "input-type", fmt.Sprintf("enum, format and secret are for inputs of type string, %s is of type %s", clipped(name), f.Type.Name), "")
		f.Enum, f.Format, secret, defaultNode = nil, "", false, nil
	}
	if secret {
		p.secretInput(&f, binding, keyNode, defaultNode, w)
	} else if len(binding.Hosts) > 0 || binding.ServiceKey {
		p.report(keyNode, "input-type", fmt.Sprintf("hosts and service_key say where a secret may go, but %s is not secret", clipped(name)), "add `secret: true`")
	}
	if defaultNode != nil && !secret {
		p.inputDefault(&f, defaultNode)
	}
	w.Inputs.Fields = append(w.Inputs.Fields, f)
}

func (p *parser) secretInput(f *action.Field, binding SecretBinding, keyNode, defaultNode *yaml.Node, w *Workflow) {
	f.Type.Credential = true
	if defaultNode != nil {
		p.report(defaultNode, "literal-secret", "a secret input has no default: its text would stand in the file", "leave it out")
	}
	if len(binding.Hosts) == 0 && !binding.ServiceKey {
		p.report(keyNode, "unbound-secret", fmt.Sprintf("the secret input %s is bound to nothing, so nothing could use it", clipped(f.Name)),
			"add `hosts: [hooks.example.com]` or `service_key: true`")
	}
	w.Secrets = append(w.Secrets, binding)
}

func (p *parser) inputType(n *yaml.Node) action.Type {
	name := p.someText(n, "type")
	if name == "" {
		return action.Type{Name: action.StringType}
	}
	for _, known := range action.InputTypes() {
		if name == known {
			return action.Type{Name: name}
		}
	}
	hint := action.DidYouMean(name, action.InputTypes())
	if hint == "" {
		hint = "one of: " + strings.Join(action.InputTypes(), ", ")
	}
	p.report(n, "unknown-type", fmt.Sprintf("there is no type %q", clipped(name)), hint)
	return action.Type{Name: action.StringType}
}

func (p *parser) format(n *yaml.Node) string {
	name := p.someText(n, "format")
	if name == "" {
		return ""
	}
	for _, known := range action.Formats() {
		if name == known {
			return name
		}
	}
	hint := action.DidYouMean(name, action.Formats())
	if hint == "" {
		hint = "one of: " + strings.Join(action.Formats(), ", ")
	}
	p.report(n, "unknown-format", fmt.Sprintf("there is no format %q", clipped(name)), hint)
	return ""
}

func (p *parser) inputDefault(f *action.Field, n *yaml.Node) {
	if f.Required {
		p.report(n, "required-default", fmt.Sprintf("the input %s is required and has a default", clipped(f.Name)), "drop one of the two")
	}
	v := p.plain(p.value(n, "default"), "a default")
	if v == nil {
		p.report(n, "null-value", "the default is null", "leave `default` out: the input is then nil")
		return
	}
	normal, problems := f.Normalize(v)
	for _, problem := range problems {
		p.report(n, "bad-default", "the default does not fit: "+problem.Message, problem.Hint)
	}
	if len(problems) == 0 {
		f.Default = normal
	}
}
