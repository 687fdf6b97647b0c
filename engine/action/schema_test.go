package action_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/engine/action"
)

// TestSchema proves that everything known of an action's fields is what the tags
// and the types say, in the order of the struct.
func TestSchema(t *testing.T) {
	text := action.Type{Name: action.StringType}
	want := []action.Field{
		{Name: "name", Type: text, Doc: "A name.", Required: true, MinLength: 2, MaxLength: 5},
		{Name: "role", Type: text, Doc: "A role.", Enum: []string{"admin", "user"}, Default: "user"},
		{Name: "email", Type: text, Doc: "An address.", Format: "email"},
		{Name: "count", Type: action.Type{Name: action.IntegerType}, Doc: "A whole number."},
		{Name: "ratio", Type: action.Type{Name: action.NumberType}, Doc: "A number."},
		{Name: "on", Type: action.Type{Name: action.BooleanType}, Doc: "Yes or no."},
		{Name: "wait", Type: action.Type{Name: action.DurationType}, Doc: "A duration.", Default: "5s"},
		{Name: "tags", Type: action.Type{Name: action.ListType, Elem: &text}, Doc: "A list."},
		{Name: "links", Type: action.Type{Name: action.ListType, Elem: &action.Type{Name: action.ObjectType, Fields: &action.Schema{Fields: []action.Field{
			{Name: "href", Type: text, Doc: "Where it leads.", Required: true},
			{Name: "text", Type: text, Doc: "What it says."},
		}}}}, Doc: "A list of objects."},
		{Name: "details", Type: action.Type{Name: action.ObjectType}, Doc: "Anything."},
		{Name: "any", Type: action.Type{Name: action.AnyType}, Doc: "Anything, with secrets.", Secrets: true},
		{Name: "key", Type: action.Type{Name: action.StringType, Credential: true}, Doc: "A key."},
		{Name: "note", Type: text, Doc: "A field of an embedded struct."},
	}
	if diff := cmp.Diff(want, echo().In.Fields); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

type empty struct{}

func declare[In any]() *action.Action {
	return action.New(action.Spec{Name: "test.tags", Effect: action.Pure}, func(context.Context, In) (o empty, _ error) { return })
}

// refusal returns what is wrong with the declaration of an input.
func refusal[In any]() (text string) {
	defer func() {
		if r := recover(); r != nil {
			text = fmt.Sprint(r)
		}
	}()
	declare[In]()
	return ""
}

// TestDefaultTags proves that a default is a value of the field's type, in its
// canonical form, so that a reference page and a journal show the same.
func TestDefaultTags(t *testing.T) {
	a := declare[struct {
		Wait  time.Duration `json:"wait" default:"90m"`
		Port  int           `json:"port" default:"443"`
		Ratio float64       `json:"ratio" default:"0.5"`
		On    bool          `json:"on" default:"true"`
		Name  string        `json:"name" default:""`
	}]()
	got, problems := a.In.Normalize(nil)
	want := action.Object{"wait": "1h30m0s", "port": 443.0, "ratio": 0.5, "on": true, "name": ""}
	if diff := cmp.Diff(want, got); diff != "" || problems != nil {
		t.Errorf("%v (-want +got):\n%s", problems, diff)
	}
}

// TestWrongTags proves that a tag which would do nothing, or not what it says, is
// found when the action is declared.
func TestWrongTags(t *testing.T) {
	type (
		noName  struct{ X string }
		pointer struct {
			X *int `json:"x"`
		}
		otherMap struct {
			X map[string]int `json:"x"`
		}
		format struct {
			X string `json:"x" format:"emial"`
		}
		length struct {
			X string `json:"x" min:"two"`
		}
		enumList struct {
			X []string `json:"x" enum:"a,b"`
		}
		maxNumber struct {
			X int `json:"x" max:"5"`
		}
		notInEnum struct {
			X string `json:"x" enum:"a,b" default:"c"`
		}
		notWhole struct {
			X int `json:"x" default:"1.5"`
		}
		notBool struct {
			X bool `json:"x" default:"yes"`
		}
		notList struct {
			X []string `json:"x" default:"a"`
		}
		notTime struct {
			X time.Duration `json:"x" default:"soon"`
		}
		twice struct {
			shared
			Other string `json:"note"`
		}
	)
	for _, test := range []struct{ got, want string }{
		{refusal[noName](), "there is no json tag"},
		{refusal[pointer](), "cannot be an input or an output"},
		{refusal[otherMap](), "a map must be a map[string]any"},
		{refusal[format](), `there is no format "emial"`},
		{refusal[length](), `the tag min:"two" is not a number`},
		{refusal[enumList](), "are for strings"},
		{refusal[maxNumber](), "are for strings"},
		{refusal[notInEnum](), `"x" cannot be "c"`},
		{refusal[notWhole](), "the default does not fit"},
		{refusal[notBool](), "the default does not fit"},
		{refusal[notList](), "the default does not fit"},
		{refusal[notTime](), "the default does not fit"},
		{refusal[twice](), `two fields "note"`},
		{refusal[string](), "input and output must be structs"},
		{refusal[empty](), ""},
	} {
		if test.want == "" && test.got != "" || !strings.Contains(test.got, test.want) {
			t.Errorf("got %q, want %q", test.got, test.want)
		}
	}
}

type owner struct {
	Name string `json:"name" doc:"Either a|b."`
}

func (owner) TypeName() string { return "owner" }

// TestReferencePage is the page of an action as people read it.
func TestReferencePage(t *testing.T) {
	type in struct {
		Host  string        `json:"host" required:"true" doc:"The host."`
		Mode  string        `json:"mode" enum:"fast,slow" default:"fast" doc:"How."`
		Port  int           `json:"port" default:"443" doc:"The port."`
		Wait  time.Duration `json:"wait" doc:"How long."`
		Names []string      `json:"names" doc:"Some names."`
	}
	type out struct {
		Owner  owner   `json:"owner" doc:"Who."`
		Others []owner `json:"others" doc:"Who else."`
	}
	a := action.New(action.Spec{Name: "inventory.find", Summary: "Find an owner.", Doc: "More of it.", Effect: action.Reads, Guarded: true},
		func(context.Context, in) (o out, _ error) { return })
	const want = `### inventory.find

Find an owner.

More of it.

In Lua: ` + "`inventory.find{host = …, …}`" + `. It only reads, so it may be repeated freely. Must be listed under ` + "`permissions: {inventory: [find]}`" + `.

#### Input

|Name|Type|Default|Required|Description|Enum|
|----|----|-------|--------|-----------|----|
|host|string|None|True|The host.|None|
|mode|string|fast|False|How.|['fast', 'slow']|
|port|integer|443|False|The port.|None|
|wait|duration|None|False|How long.|None|
|names|[]string|None|False|Some names.|None|

#### Output

|Name|Type|Required|Description|
|----|----|--------|-----------|
|owner|owner|False|Who.|
|others|[]owner|False|Who else.|

#### Type owner

|Name|Type|Required|Description|
|----|----|--------|-----------|
|name|string|False|Either a\|b.|
`
	if diff := cmp.Diff(want, a.Markdown()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if a.Module() != "inventory" || a.Function() != "find" {
		t.Errorf("got %s, %s", a.Module(), a.Function())
	}
}

// encode returns what a script gets of an output.
func encode[Out any](t *testing.T, out Out) action.Object {
	t.Helper()
	a := action.New(action.Spec{Name: "test.out", Effect: action.Pure}, func(context.Context, empty) (Out, error) { return out, nil })
	call, err := a.Prepare(nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := call.Do(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return got
}
