package simulator_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/account"
)

const notFound = `{"error":{"message":"Not Found","code":2100}}`

// invalidInput is the body that refuses a request for one reason.
func invalidInput(t *testing.T, reason string) string {
	t.Helper()
	return `{"error":{"message":"Invalid Input Provided","code":2001,"errors":[` + encode(t, reason) + `]}}`
}

// userRefusals apply to creating and to updating a user.
var userRefusals = []struct {
	name, field string
	value       any
	want        string
}{
	{"empty name", "name", "", "Name can't be blank"},
	{"blank name", "name", " \t", "Name can't be blank"},
	{"null name", "name", nil, "Name can't be blank"},
	{"long name", "name", strings.Repeat("é", 101), "Name is too long (maximum is 100 characters)"},
	{"empty e-mail", "email", "", "Email can't be blank"},
	{"short e-mail", "email", "a@b.c", "Email is too short (minimum is 6 characters)"},
	{"long e-mail", "email", strings.Repeat("a", 90) + "@example.com", "Email is too long (maximum is 100 characters)"},
	{"no e-mail", "email", "example.com", "Email is invalid"},
	{"e-mail with a name", "email", "Ann <ann@example.com>", "Email is invalid"},
	{"taken e-mail", "email", "OPS@example.COM", "Email has already been taken"},
	{"number as color", "color", 1, "Color must be a string"},
	{"unknown role", "role", "boss", "Role must be one of: admin limited_user observer owner read_only_user restricted_access read_only_limited_user user"},
	{"long job title", "job_title", strings.Repeat("x", 101), "Job title is too long (maximum is 100 characters)"},
	{"another type", "type", "team", "Type must be user"},
}

func TestCreateUserRefusals(t *testing.T) {
	ann := fields{"name": "Ann", "email": "ann@example.com", "role": "user"}
	for _, test := range userRefusals {
		t.Run(test.name, func(t *testing.T) {
			account := newAccount()
			answer := call(account, "POST", "/users", encode(t, fields{"user": ann.with(test.field, test.value)}))
			wantAnswer(t, answer, 400, invalidInput(t, test.want))
			if got := len(account.Users()); got != 3 {
				t.Errorf("got %d users, want the 3 from before", got)
			}
		})
	}
}

func TestUpdateUserRefusals(t *testing.T) {
	for _, test := range userRefusals {
		t.Run(test.name, func(t *testing.T) {
			account := newAccount()
			id := createUser(t, account, "Ann", "ann@example.com")
			before := account.Users()
			answer := call(account, "PUT", "/users/"+id, encode(t, fields{"user": fields{test.field: test.value}}))
			wantAnswer(t, answer, 400, invalidInput(t, test.want))
			if diff := cmp.Diff(before, account.Users()); diff != "" {
				t.Errorf("a refused update had an effect: %s", diff)
			}
		})
	}
}

func TestUserBodyRefusals(t *testing.T) {
	account := newAccount()
	for _, body := range []string{"", "{", "null", "[]"} {
		wantAnswer(t, call(account, "POST", "/users", body), 400, invalidInput(t, "Request body is not a JSON object"))
	}
	for _, body := range []string{"{}", `{"user":null}`, `{"user":[]}`, `{"User":{}}`} {
		wantAnswer(t, call(account, "POST", "/users", body), 400,
			`{"error":{"message":"Missing Arguments","code":2003,"errors":["User is missing"]}}`)
	}
	wantAnswer(t, call(account, "POST", "/users", `{"user":{"Name":"Ann"}}`), 400,
		`{"error":{"message":"Invalid Input Provided","code":2001,"errors":["Name can't be blank","Email can't be blank"]}}`)
	wantAnswer(t, call(account, "POST", "/users", strings.Repeat(" ", 512_001)), 413,
		`{"error":{"message":"Request Entity Too Large","code":2001}}`)
}

func TestEveryRoleIsAccepted(t *testing.T) {
	account := newAccount()
	roles := []string{
		"admin", "limited_user", "observer", "owner", "read_only_user",
		"restricted_access", "read_only_limited_user", "user",
	}
	for _, role := range roles {
		body := encode(t, fields{"user": fields{"name": role, "email": role + "@roles.example.com", "role": role}})
		if answer := call(account, "POST", "/users", body); answer.Code != 201 {
			t.Errorf("%s: got %d %s", role, answer.Code, answer.Body)
		}
	}
}

func TestCreatedUser(t *testing.T) {
	account0 := newAccount(simulator.WithSeed(1))
	answer := call(account0, "POST", "/users", `{"user":{"name":"  Ann   Lee ","email":"Ann@Example.COM","from_email":"ignored","id":"PIGNORE"}}`)
	if answer.Code != 201 {
		t.Fatalf("got %d %s", answer.Code, answer.Body)
	}
	user := account0.Users()[3]
	want := account.User{ID: user.ID, Name: "Ann Lee", Email: "ann@example.com", Role: "user", TimeZone: "Etc/UTC", Color: "purple"}
	if diff := cmp.Diff(want, user); diff != "" {
		t.Error(diff)
	}
	// Identifiers depend on the seed; everything else is compared literally.
	got := regexp.MustCompile(`P[0-9A-Z]{6}\b`).ReplaceAllString(answer.Body.String(), "PID")
	wantBody := `{"user":{"id":"PID","type":"user","summary":"Ann Lee","self":"https://api.pagerduty.com/users/PID",` +
		`"html_url":"https://simulator.pagerduty.com/users/PID","name":"Ann Lee","email":"ann@example.com",` +
		`"time_zone":"Etc/UTC","color":"purple","role":"user",` +
		`"avatar_url":"https://pd-static-assets.pagerduty.com/users/blank-avatar.png","description":null,` +
		`"invitation_sent":true,"job_title":null,"created_via_sso":false,"billed":true,"teams":[],` +
		`"contact_methods":[{"id":"PID","type":"email_contact_method_reference","summary":"Default",` +
		`"self":"https://api.pagerduty.com/users/PID/contact_methods/PID","html_url":null}],` +
		`"notification_rules":[{"id":"PID","type":"assignment_notification_rule_reference","summary":"0 minutes: channel PID",` +
		`"self":"https://api.pagerduty.com/users/PID/notification_rules/PID","html_url":null},` +
		`{"id":"PID","type":"assignment_notification_rule_reference","summary":"0 minutes: channel PID",` +
		`"self":"https://api.pagerduty.com/users/PID/notification_rules/PID","html_url":null}],` +
		`"coordinated_incidents":[],"http_cal_url":null,"web_cal_url":null}}`
	if diff := cmp.Diff(wantBody, got); diff != "" {
		t.Error(diff)
	}
}

func TestIncludeExpandsReferences(t *testing.T) {
	account := newAccount()
	id := account.Users()[0].ID
	for _, query := range []string{
		"include[]=contact_methods&include[]=notification_rules",
		"include%5B%5D=contact_methods&include%5b%5d=notification_rules",
	} {
		body := call(account, "GET", "/users/"+id+"?"+query, "").Body.String()
		for _, want := range []string{`"address":"ops@example.com"`, `"type":"assignment_notification_rule"`, `"urgency":"low"`} {
			if !strings.Contains(body, want) {
				t.Errorf("%s: %s is not in %s", query, want, body)
			}
		}
	}
}

func TestUpdateUserIsPartial(t *testing.T) {
	account0 := newAccount()
	id := createUser(t, account0, "Ann", "ann@example.com")
	answer := call(account0, "PUT", "/users/"+id+"/", `{"user":{"email":"ANN@example.com","job_title":"SRE","description":"d"}}`)
	if answer.Code != 200 {
		t.Fatalf("got %d %s", answer.Code, answer.Body)
	}
	call(account0, "PUT", "/users/"+id, `{"user":{"name":"Ann Lee","description":null}}`)
	want := account.User{
		ID: id, Name: "Ann Lee", Email: "ann@example.com", Role: "user",
		JobTitle: "SRE", TimeZone: "Etc/UTC", Color: "purple",
	}
	if diff := cmp.Diff(want, account0.Users()[3]); diff != "" {
		t.Error(diff)
	}
	wantAnswer(t, call(account0, "PUT", "/users/PNONE", `{"user":{}}`), 404, notFound)
}

func TestDeleteUser(t *testing.T) {
	account := newAccount()
	id := createUser(t, account, "Ann", "ann@example.com")
	answer := call(account, "DELETE", "/users/"+id, "")
	wantAnswer(t, answer, 204, "")
	if got := answer.Header().Get("Content-Type"); got != "" {
		t.Errorf("got content type %q for no content", got)
	}
	wantAnswer(t, call(account, "DELETE", "/users/"+id, ""), 404, notFound)
	wantAnswer(t, call(account, "GET", "/users/"+id, ""), 404, notFound)
	wantAnswer(t, call(account, "DELETE", "/users/me", ""), 404, notFound)
	if again := createUser(t, account, "Ann", "ann@example.com"); again == id {
		t.Errorf("the identifier %s was used twice", id)
	}
}

func TestDeleteUserWithOpenIncident(t *testing.T) {
	account := newAccount()
	onCall := account.Users()[0].ID
	sendEvent(t, account, checkoutKey, "trigger", "k", "d")
	wantAnswer(t, call(account, "DELETE", "/users/"+onCall, ""), 400,
		invalidInput(t, "User cannot be deleted as they have open incidents assigned: "+account.Incidents()[0].ID))
	sendEvent(t, account, checkoutKey, "resolve", "k", "d")
	wantAnswer(t, call(account, "DELETE", "/users/"+onCall, ""), 204, "")
	sendEvent(t, account, checkoutKey, "trigger", "k", "d")
	if body := call(account, "GET", "/incidents?statuses[]=triggered", "").Body.String(); !strings.Contains(body, `"assignments":[]`) {
		t.Errorf("got %s, want no assignments", body)
	}
}

func TestStrictFrom(t *testing.T) {
	tests := []struct{ from, want string }{
		{"", `{"error":{"message":"You must specify a user's email address in the \"From\" header to perform this action","code":2016}}`},
		{"nobody", `{"error":{"message":"Malformed \"From\" header","code":1028}}`},
		{"nobody@example.com", `{"error":{"message":"Requester User Not Found","code":1008}}`},
	}
	account := newAccount(simulator.WithStrictFrom())
	const ann = `{"user":{"name":"Ann","email":"ann@example.com"}}`
	for _, test := range tests {
		wantAnswer(t, call(account, "POST", "/users", ann, "From", test.from), 400, test.want)
	}
	if answer := call(account, "POST", "/users", ann, "From", "Ops@example.com"); answer.Code != 201 {
		t.Errorf("got %d %s, want 201", answer.Code, answer.Body)
	}
}
