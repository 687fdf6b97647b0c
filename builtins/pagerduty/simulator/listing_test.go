package simulator_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pdflow/pdflow/builtins/pagerduty/simulator"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/account"
)

// listing is the body of GET /users.
type listing struct {
	Users         []struct{ Name string }
	Query         *string
	Limit, Offset int
	More          bool
	Total         *int
}

func list(t *testing.T, account *simulator.Simulator, query string) listing {
	t.Helper()
	answer := call(account, "GET", "/users?"+query, "")
	if answer.Code != 200 {
		t.Fatalf("%q: got %d %s", query, answer.Code, answer.Body)
	}
	return decode[listing](t, answer.Body)
}

func TestListUsersPages(t *testing.T) {
	account := newAccount(simulator.WithoutUsers())
	for i := range 130 {
		createUser(t, account, fmt.Sprintf("User %03d", i), fmt.Sprintf("user%03d@example.com", i))
	}
	tests := []struct {
		query       string
		first       string
		count       int
		limit       int
		more, total bool
	}{
		{"", "User 000", 25, 25, true, false},
		{"offset=100", "User 100", 25, 25, true, false},
		{"offset=105", "User 105", 25, 25, false, false},
		{"limit=100", "User 000", 100, 100, true, false},
		{"limit=500", "User 000", 100, 100, true, false},
		{"limit=100&offset=100&total=true", "User 100", 30, 100, false, true},
		{"offset=130", "", 0, 25, false, false},
		{"offset=9900&limit=100", "", 0, 100, false, false},
		{"limit=1&total=true", "User 000", 1, 1, true, true},
	}
	for _, test := range tests {
		got := list(t, account, test.query)
		first := ""
		if len(got.Users) > 0 {
			first = got.Users[0].Name
		}
		if first != test.first || len(got.Users) != test.count || got.Limit != test.limit || got.More != test.more {
			t.Errorf("%q: got first %q, %d users, limit %d, more %v; want %v",
				test.query, first, len(got.Users), got.Limit, got.More, test)
		}
		if (got.Total != nil) != test.total || test.total && *got.Total != 130 {
			t.Errorf("%q: got total %v", test.query, got.Total)
		}
	}
}

func TestListRefusals(t *testing.T) {
	account := newAccount()
	tests := []struct{ query, want string }{
		{"offset=9901&limit=100", "Offset and limit must not exceed 10000 together"},
		{"offset=9223372036854775807", "Offset and limit must not exceed 10000 together"},
		{"offset=-1", "Offset must be a number of at least 0"},
		{"offset=x", "Offset must be a number of at least 0"},
		{"limit=0", "Limit must be a number of at least 1"},
		{"limit=x", "Limit must be a number of at least 1"},
	}
	for _, path := range []string{"/users", "/incidents", "/services"} {
		for _, test := range tests {
			wantAnswer(t, call(account, "GET", path+"?"+test.query, ""), 400, invalidInput(t, test.want))
		}
	}
}

func TestListUsersQuery(t *testing.T) {
	account := newAccount(simulator.WithoutUsers(),
		simulator.WithUser(account.User{Name: "Ann Lee", Email: "lee@example.com"}),
		simulator.WithUser(account.User{Name: "Bob", Email: "annabel@example.org"}),
		simulator.WithUser(account.User{Name: "Zoë", Email: "zoe@example.com"}),
	)
	tests := []struct{ query, want string }{
		{"query=ANN", "Ann Lee,Bob"},
		{"query=lee@EXAMPLE.com", "Ann Lee"},
		{"query=ann%20l", "Ann Lee"},
		{"query=zo%C3%AB", "Zoë"},
		{"query=nobody", ""},
		{"id=PNONE", "Ann Lee,Bob,Zoë"}, // not a parameter: finds every user
	}
	for _, test := range tests {
		got := list(t, account, test.query)
		var names []string
		for _, user := range got.Users {
			names = append(names, user.Name)
		}
		if joined := strings.Join(names, ","); joined != test.want {
			t.Errorf("%q: got %q, want %q", test.query, joined, test.want)
		}
	}
	if got := list(t, account, "query=ANN").Query; got == nil || *got != "ANN" {
		t.Errorf("got query %v, want it echoed", got)
	}
	body := call(account, "GET", "/users?query=nobody", "").Body.String()
	if want := `{"users":[],"query":"nobody","limit":25,"offset":0,"more":false,"total":null}`; body != want {
		t.Errorf("got %s, want %s", body, want)
	}
}

func TestListServicesAndAbilities(t *testing.T) {
	account := newAccount()
	answer := call(account, "GET", "/services?query=SEAR", "")
	body := decode[struct {
		Services []struct{ ID, Name, Status string }
	}](t, answer.Body)
	if len(body.Services) != 1 || body.Services[0].ID != account.Services()[1].ID || body.Services[0].Status != "active" {
		t.Errorf("got %v, want Search", body)
	}
	wantAnswer(t, call(account, "GET", "/abilities", ""), 200,
		`{"abilities":["permissions_service","read_only_users","sso","teams","urgencies"]}`)
}
