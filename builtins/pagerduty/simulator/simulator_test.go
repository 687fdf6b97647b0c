package simulator_test

import (
	"fmt"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/account"
)

func TestGeneratedKeys(t *testing.T) {
	account := simulator.New(simulator.WithSeed(7), simulator.WithAPIKey(""), simulator.WithServiceKey("none", ""))
	if key := account.APIKey(); !regexp.MustCompile(`^[0-9A-Za-z_+-]{20}$`).MatchString(key) {
		t.Errorf("got API key %q", key)
	}
	if key := account.ServiceKey(); !regexp.MustCompile(`^[0-9a-f]{32}$`).MatchString(key) {
		t.Errorf("got service key %q", key)
	}
	if answer := send(account, "GET", "/users", "", "Authorization", "Token token="+account.APIKey()); answer.Code != 200 {
		t.Errorf("got %d with the generated API key", answer.Code)
	}
	sendEvent(t, account, account.ServiceKey(), "trigger", "k", "d")
	if other := simulator.New(simulator.WithSeed(8)); other.APIKey() == account.APIKey() || other.ServiceKey() == account.ServiceKey() {
		t.Error("two seeds gave the same key")
	}
}

func TestGivenKeys(t *testing.T) {
	account := newAccount()
	if account.APIKey() != accountKey || account.ServiceKey() != checkoutKey {
		t.Errorf("got keys %q and %q, want the first ones given", account.APIKey(), account.ServiceKey())
	}
	want := []string{"Checkout", "Search"}
	var got []string
	for _, service := range account.Services() {
		got = append(got, service.Name)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestSeededUsers(t *testing.T) {
	account0 := newAccount(
		simulator.WithUser(account.User{ID: "PANN001", Name: "Ann", Email: "Ann@example.com"}),
		simulator.WithUser(account.User{ID: "PANN002", Name: "Ann again", Email: "ann@example.com", Role: "admin"}),
	)
	users := account0.Users()
	if len(users) != 4 || users[0].Email != "ops@example.com" || users[0].Role != "owner" {
		t.Fatalf("got %v, want the three default users and Ann", users)
	}
	want := account.User{ID: "PANN002", Name: "Ann again", Email: "ann@example.com", Role: "admin", TimeZone: "Etc/UTC", Color: "purple"}
	if diff := cmp.Diff(want, users[3]); diff != "" {
		t.Error(diff)
	}
	if got := newAccount(simulator.WithoutUsers()).Users(); len(got) != 0 {
		t.Errorf("got %v, want no users", got)
	}
}

func TestIdentifierShapes(t *testing.T) {
	account := newAccount()
	for i := range 500 {
		createUser(t, account, "Ann", fmt.Sprintf("ann%d@example.com", i))
		sendEvent(t, account, checkoutKey, "trigger", fmt.Sprint(i), "d")
	}
	seen := map[string]bool{}
	check := func(id, pattern string) {
		if !regexp.MustCompile(pattern).MatchString(id) || seen[id] {
			t.Errorf("got identifier %q", id)
		}
		seen[id] = true
	}
	for _, user := range account.Users() {
		check(user.ID, `^P[0-9A-Z]{6}$`)
	}
	for _, incident := range account.Incidents() {
		check(incident.ID, `^Q[0-9A-Z]{13}$`)
	}
}

func TestViewsOfNothingAreEmptyLists(t *testing.T) {
	account := newAccount(simulator.WithoutUsers())
	if got, want := encode(t, []any{account.Incidents(), account.Users(), account.Requests()}), "[[],[],[]]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestViewsAreCopies(t *testing.T) {
	account := newAccount()
	sendEvent(t, account, checkoutKey, "trigger", "k", "d")
	account.Incidents()[0].Log[0].Type = "changed"
	account.Incidents()[0].Key = "changed"
	account.Users()[0].Name = "changed"
	account.Requests()[0].Path = "changed"
	account.Services()[0].Name = "changed"
	views := encode(t, []any{account.Incidents(), account.Users(), account.Requests(), account.Services()})
	if strings.Contains(views, "changed") {
		t.Errorf("a caller changed the account: %s", views)
	}
}

// transcript makes one request of every kind and returns all answers.
func transcript(t *testing.T, account *simulator.Simulator) string {
	var all strings.Builder
	play := func(answer *httptest.ResponseRecorder) {
		fmt.Fprintln(&all, answer.Code, encode(t, answer.Header()), answer.Body)
	}
	play(send(account, "POST", pathV1, encode(t, fields{"service_key": checkoutKey, "event_type": "trigger", "description": "d"})))
	play(send(account, "POST", pathV2, encode(t, eventV2.with("dedup_key", absent))))
	play(call(account, "POST", "/users", `{"user":{"name":"Ann","email":"ann@example.com"}}`))
	play(call(account, "GET", "/users?include[]=contact_methods&include[]=notification_rules&total=true", ""))
	play(call(account, "GET", "/incidents", ""))
	play(call(account, "GET", "/services", ""))
	play(call(account, "GET", "/nothing", ""))
	play(send(account, "GET", "/users", ""))
	return all.String()
}

func TestSameRequestsSameAnswers(t *testing.T) {
	first := transcript(t, newAccount(simulator.WithSeed(3)))
	second := transcript(t, newAccount(simulator.WithSeed(3)))
	if diff := cmp.Diff(first, second); diff != "" {
		t.Error(diff)
	}
	if first == transcript(t, newAccount(simulator.WithSeed(4))) {
		t.Error("two seeds gave the same identifiers")
	}
}

// TestConcurrentUse creates one user and opens one incident from many goroutines.
func TestConcurrentUse(t *testing.T) {
	account := newAccount(simulator.WithLenientServiceKeys())
	const clients = 16
	var group sync.WaitGroup
	for i := range clients {
		group.Go(func() {
			call(account, "POST", "/users", `{"user":{"name":"Ann","email":"ann@example.com"}}`)
			send(account, "POST", pathV2, encode(t, eventV2))
			send(account, "POST", pathV2, encode(t, eventV2.with("routing_key", fmt.Sprintf("%032d", i%4))))
			call(account, "GET", "/users", "")
			account.Incidents()
			account.Users()
			account.Services()
			account.Requests()
		})
	}
	group.Wait()
	got := []int{len(account.Users()), len(account.Incidents()), len(account.Services()), len(account.Requests())}
	if diff := cmp.Diff([]int{4, 5, 6, 4 * clients}, got); diff != "" {
		t.Error(diff)
	}
}
