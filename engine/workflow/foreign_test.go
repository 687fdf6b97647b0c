package workflow

import (
	"errors"
	"strings"
	"testing"
)

// TestA3ForeignFile: what is said of a file that is not a workflow quotes nothing of it.
func TestA3ForeignFile(t *testing.T) {
	const secret = "Tr0ub4dor"
	for name, text := range map[string]string{
		"a key":        "u+" + secret + "xyz123\n",
		"passwords":    "root:" + secret + ":19000:0:99999:7:::\ndaemon:*:19000:0:99999:7:::\n",
		"a mapping":    "token: " + secret + "\nother: {a: " + secret + "}\n",
		"secret keys":  secret + ": 1\n\"" + secret + " two\": 2\n",
		"a list":       "- " + secret + "\n- {x: " + secret + "}\n",
		"a number":     "1234567890\n",
		"an alias":     "a: *" + secret + "\n",
		"a tag":        "a: !" + secret + "!x 1\n",
		"a directive":  "%" + secret + " 1\n---\na: 1\n",
		"broken":       "a: [" + secret + "\nb: }\n",
		"a quote":      "a: \"" + secret + "\n",
		"an escape":    "a: \"\\q" + secret + "\"\n",
		"a PEM key":    "-----BEGIN PRIVATE KEY-----\n" + secret + "\n-----END PRIVATE KEY-----\n",
		"not UTF-8":    secret + "\xff\xfe\n",
		"two of a key": "x: " + secret + "\nx: " + secret + "\n",
		"JSON":         `{"password": "` + secret + `"}`,
		"environment":  "export TOKEN=" + secret + "\n",
		"two anchors":  "a: &" + secret + " 1\nb: &" + secret + " 2\n",
		"a root tag":   "!" + secret + "\na: 1\n",
		"a number key": "123: " + secret + "\n[" + secret + "]: 1\n",
		"merged":       "<<: {" + secret + ": 1}\n<<: " + secret + "\n",
		// These have a key of a workflow.
		"a name":         "name: " + secret + "\npassword: " + secret + "\n" + secret + ": 1\n",
		"a list of name": "name: [" + secret + "]\n",
		"secrets":        "secrets: {db: " + secret + ", " + secret + ": x, Y: {hosts: " + secret + "}}\n",
		"a timeout":      "timeout: " + secret + "\nresume_within: " + secret + "\n",
		"a schedule":     "schedule: " + secret + "\nconcurrency: " + secret + "\n",
		"outputs":        "outputs: {a: \"${{ " + secret + " }}\", b: " + secret + "}\n",
		"inputs":         "inputs: {" + secret + ": " + secret + ", a: {type: " + secret + "}}\n",
		"permissions":    "permissions: {http: [" + secret + "], " + secret + ": x}\nlimits: {" + secret + ": 1, memory: " + secret + "}\n",
		"a connection":   "connection: \"" + secret + " x\"\ndefaults: {with: {" + secret + ": 1}, " + secret + ": 2}\n",
		"no steps":       "on_failure: [{uses: " + secret + "}]\nfinally: " + secret + "\n",
		"a tag of one":   "name: !" + secret + " x\n",
		"twice":          "name: a\n" + secret + ": 1\n" + secret + ": 2\nname: " + secret + "\n",
	} {
		t.Run(name, func(t *testing.T) {
			w, err := Parse("foreign.yaml", []byte(text))
			_, more := Compile(w, nil, nil)
			err = errors.Join(err, more)
			if err == nil || !strings.Contains(err.Error(), "foreign.yaml:") {
				t.Fatalf("got %v, want an error with a place", err)
			}
			if strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), "1234567890") {
				t.Errorf("got %v, which quotes the file", err)
			}
		})
	}
	// A workflow with a mistake is told which.
	for text, want := range map[string]string{
		"stpes: []\n":                       `did you mean "steps"?`,
		"name: x\nfoo: 1\nsteps: []\n":      `no key "foo"`,
		"step: {}\nsecret: {}\n":            `did you mean`,
		"":                                  "the file is empty",
		"nmae: x\ncron: \"* * * * *\"\n":    `did you mean "name"?`,
		"description: [1]\nwhatever: [2]\n": `a workflow needs "steps"`,
	} {
		if _, err := Parse("mistake.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
}

// TestX4ForeignFiles: a file is foreign only if it parses and has nothing that is, or nearly
// is, a key of a workflow. Every other file is a workflow, which may have mistakes.
func TestX4ForeignFiles(t *testing.T) {
	for text, want := range map[string]bool{
		"version: \"3\"\nservices: {db: {image: x}}\nvolumes: {}\n": true,
		"apiVersion: v1\nkind: A\nmetadata: {}\nspec: {}\n":         true,
		"apiVersion: v1\nkind: A\n---\napiVersion: v1\nkind: B\n":   true,
		"a: 1\n---\nb: 1\n---\n- c\n---\n":                          true,
		"- hosts: all\n":                                            true, "hello\n": true, "": true, "# nothing\n": true, "{}": true, "null\n": true, "42\n": true, "1: 2\n": true,
		"&a {x: 1}\n":               true,
		"users: []\nservices: []\n": true,

		"steps: []\n": false, "stpes: []\n": false, "Steps: []\n": false, "step: []\n": false, "name: x\nservices: {}\n": false,
		"schedule: \"* * * * *\"\n": false, "shedule: x\n": false, "on_failure: []\n": false, "on-failure: []\n": false,
		"a: 1\n---\nsteps: []\n": false, "a: 1\n---\nb: 1\n---\nsteps: []\n": false, "steps: []\n---\na: 1\n": false, "a: 1\n---\nb: [\n": false,
		"a: [\n": false, "a: \"\n": false, "\ta: 1\n": false, "a: *b\n": false, "\xff": false, "a: 1\na: 2\n": true,
	} {
		w, err := Parse("x.yaml", []byte(text))
		if err == nil {
			_, err = Compile(w, nil, nil)
		}
		if got := Foreign(err) != ""; got != want {
			t.Errorf("%q: got foreign %v, want %v (%v)", text, got, want, err)
		}
	}
	if err := NotWorkflow("x.yaml", "it is a list"); Foreign(err) != "it is a list" {
		t.Errorf("got %v, want the error of a foreign file", err)
	}
}
