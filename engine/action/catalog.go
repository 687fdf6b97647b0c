package action

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/pdflow/pdflow/engine/phrase"
)

// A Module says how workflow files permit the actions of one module and bind secrets to
// them. Only a module that differs from the default has to be declared, with
// [Module.Declare].
type Module struct {
	// Name is the part before the dot of the names of its actions.
	Name string
	// Listed says that a workflow permits the actions by name:
	//
	//	permissions: {NAME: [FUNCTION, ...]}
	//
	// With such a list, only its functions may be called; without it, all that are not
	// [Spec.Guarded]. The actions of other modules are permitted by what they reach
	// ([Rules.Targets]).
	Listed bool
	// Places are the named destinations, in addition to hosts, to which a workflow may
	// bind a secret; see [Place].
	//
	//	secrets: {SECRET: {PLACE: true}}
	Places []string
}

// Declare makes the actions part of the module, and returns them. It panics when the
// name of an action begins with another module.
func (m *Module) Declare(actions ...*Action) []*Action {
	for _, a := range actions {
		if a.Module() != m.Name {
			panic(fmt.Sprintf("action: %s is not in the module %s", a.Name, m.Name))
		}
		a.module = m
	}
	return actions
}

// Listed reports whether workflows permit the action by name; see [Module].
func (a *Action) Listed() bool { return a.module != nil && a.module.Listed }

// A Catalog is the list of actions that steps can call. It is immutable and safe
// for concurrent use.
type Catalog struct {
	actions []*Action // by name
	byName  map[string]*Action
	modules map[string][]string // module to its functions, sorted
}

// NewCatalog returns a catalogue of actions. Two actions with the same name are an
// error.
func NewCatalog(actions ...*Action) (*Catalog, error) {
	c := &Catalog{actions: slices.Clone(actions), byName: map[string]*Action{}, modules: map[string][]string{}}
	slices.SortFunc(c.actions, func(a, b *Action) int { return cmp.Compare(a.Name, b.Name) })
	for _, a := range c.actions {
		if c.byName[a.Name] != nil {
			return nil, fmt.Errorf("the action %q is declared twice", a.Name)
		}
		c.byName[a.Name] = a
		c.modules[a.Module()] = append(c.modules[a.Module()], a.Function())
	}
	return c, nil
}

// Lookup returns an action by name.
func (c *Catalog) Lookup(name string) (*Action, bool) {
	a, ok := c.byName[name]
	return a, ok
}

// All returns every action, sorted by name.
func (c *Catalog) All() []*Action { return slices.Clone(c.actions) }

// Names returns the name of every action, sorted.
func (c *Catalog) Names() []string {
	names := make([]string, len(c.actions))
	for i, a := range c.actions {
		names[i] = a.Name
	}
	return names
}

// Modules returns the names of the modules, sorted.
func (c *Catalog) Modules() []string { return phrase.Names(c.modules) }

// Functions returns the names of a module's functions, sorted; nil when there is
// no such module.
func (c *Catalog) Functions(module string) []string { return slices.Clone(c.modules[module]) }

// ListedModules returns the names of the modules whose actions workflows permit by
// name, sorted.
func (c *Catalog) ListedModules() []string {
	var names []string
	for _, a := range c.actions {
		if a.Listed() {
			names = append(names, a.Module())
		}
	}
	return slices.Compact(names)
}

// Places returns the named destinations to which a workflow may bind a secret, sorted.
func (c *Catalog) Places() []string {
	var places []string
	for _, a := range c.actions {
		if a.module != nil {
			places = append(places, a.module.Places...)
		}
	}
	slices.Sort(places)
	return slices.Compact(places)
}
