package webhook

import "time"

// Outcome is the result of an attempt to deliver a webhook.
type Outcome string

// A repeated attempt is followed by another attempt of the same webhook.
const (
	Delivered Outcome = "delivered"
	Repeated  Outcome = "repeated"
	Dropped   Outcome = "dropped"
)

// Delivery is one attempt to deliver a webhook. It holds no address and no secret.
type Delivery struct {
	Subscription string    `json:"subscription"`
	WebhookID    string    `json:"webhook_id"`
	Event        string    `json:"event"`
	IncidentKey  string    `json:"incident_key,omitempty"`
	Attempt      int       `json:"attempt"` // from 1
	Status       int       `json:"status"`  // 0 without an answer
	Outcome      Outcome   `json:"outcome"`
	At           time.Time `json:"at"`
}
