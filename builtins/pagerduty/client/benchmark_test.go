package client

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
)

const benchmarkUser = `{"user":{"id":"PABC123","type":"user","summary":"Ann Lee","self":"https://api.pagerduty.com/users/PABC123","html_url":"https://acme.pagerduty.com/users/PABC123","name":"Ann Lee","email":"ann@example.com","time_zone":"Europe/Berlin","color":"purple","role":"user","avatar_url":"https://pd-static-assets.pagerduty.com/users/blank-avatar.png","description":null,"invitation_sent":true,"job_title":null,"teams":[],"contact_methods":[{"id":"PCM1234","type":"email_contact_method_reference","summary":"Default","self":"https://api.pagerduty.com/users/PABC123/contact_methods/PCM1234","html_url":null}],"notification_rules":[],"coordinated_incidents":[]}}`

func benchmarkServer(b *testing.B) string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		// A limit that is never reached. Without it, the client uses the documented limit.
		w.Header().Set("Ratelimit-Remaining", "1000000")
		w.Header().Set("Ratelimit-Reset", "60")
		_, _ = w.Write([]byte(benchmarkUser))
	}))
	b.Cleanup(server.Close)
	return server.URL
}

// BenchmarkUserByID looks up a user. Compare it with BenchmarkUserByIDBound.
func BenchmarkUserByID(b *testing.B) {
	c, err := New(Config{APIKey: testAPIKey, APIURL: benchmarkServer(b)})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := c.UserByID(context.Background(), "PABC123"); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkUserByIDBound makes the same request with net/http only.
func BenchmarkUserByIDBound(b *testing.B) {
	url := benchmarkServer(b) + "/users/PABC123"
	client := &http.Client{}
	for b.Loop() {
		request, _ := http.NewRequest(http.MethodGet, url, nil)
		request.Header.Set("Authorization", "Token token="+testAPIKey)
		response, err := client.Do(request)
		if err != nil {
			b.Fatal(err)
		}
		var out struct{ User User }
		if err := json.NewDecoder(response.Body).Decode(&out); err != nil {
			b.Fatal(err)
		}
		_, _ = response.Body.Read(make([]byte, 1)) // keeps the connection open
		response.Body.Close()
	}
}
