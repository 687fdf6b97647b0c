package codes

import (
	"strings"
	"testing"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/action/actiontest"
)

// object is short for the tables below.
type object = action.Object

func TestBase64(t *testing.T) {
	actiontest.Run(t, Actions(), action.Scope{}, []actiontest.Row{
		{Action: "base64.encode", Input: object{"text": "aÿ?"}, Want: object{"base64": "YcO/Pw=="}},
		{Action: "base64.encode", Input: object{"text": "aÿ?", "url_safe": true}, Want: object{"base64": "YcO_Pw"}},
		{Action: "base64.encode", Input: object{"text": 1.0}, Kind: action.InvalidInput, Says: `"text" must be a string`},
		{Action: "base64.decode", Input: object{"text": "YcO/Pw=="}, Want: object{"text": "aÿ?"}},
		{Action: "base64.decode", Input: object{"text": "YcO/\r\nPw"}, Want: object{"text": "aÿ?"}},
		{Action: "base64.decode", Input: object{"text": "YcO_Pw", "url_safe": true}, Want: object{"text": "aÿ?"}},
		{Action: "base64.decode", Input: object{"text": "YcO_Pw"}, Kind: action.InvalidInput, Says: "url_safe = true"},
		{Action: "base64.decode", Input: object{"text": "Y*"}, Kind: action.InvalidInput, Says: "character 2"},
		{Action: "base64.decode", Input: object{"text": "YcO/", "url_safe": true}, Kind: action.InvalidInput, Says: "leave out url_safe"},
		{Action: "base64.decode", Input: object{"text": "/w=="}, Kind: action.InvalidInput, Says: "not UTF-8"},
	})
}

func TestHash(t *testing.T) {
	revealed := ""
	scope := action.Scope{Reveal: func(s action.Secret, to action.Destination) (string, error) {
		revealed = s.Name + " " + string(to)
		return "key", nil
	}}
	// The HMACs of "The quick brown fox jumps over the lazy dog" under "key" are
	// published in many places.
	const fox = "The quick brown fox jumps over the lazy dog"
	secret := action.Secret{Name: "KEY"}
	actiontest.Run(t, Actions(), scope, []actiontest.Row{
		{Action: "hash.sha256", Input: object{"text": ""}, Want: object{"hash": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}},
		{Action: "hash.sha256", Input: object{"text": true}, Kind: action.InvalidInput, Says: "must be a string"},
		{Action: "hash.hmac", Input: object{"key": secret, "text": fox}, Want: object{"signature": "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8"}},
		{Action: "hash.hmac", Input: object{"key": "key", "text": fox, "algorithm": "sha1"}, Want: object{"signature": "de7c9b85b8b78aa6bc8a7a36f70a90701c9db4d9"}},
		{Action: "hash.hmac", Input: object{"key": "key", "text": fox, "algorithm": "sha1", "encoding": "base64"}, Want: object{"signature": "3nybhbi3iqa8ino29wqQcBydtNk="}},
		{Action: "hash.hmac", Input: object{"key": "key", "text": fox, "algorithm": "md5"}, Kind: action.InvalidInput, Says: `"algorithm" cannot be "md5"`},
		{Action: "hash.hmac", Input: object{"text": fox}, Kind: action.InvalidInput, Says: `"key" is missing`},
	})
	if revealed != "KEY (process)" {
		t.Errorf("got %q revealed, want the key for the process", revealed)
	}
	sha512, err := actiontest.Call(Actions(), scope, "hash.hmac", object{"key": "key", "text": fox, "algorithm": "sha512"})
	if text, _ := sha512["signature"].(string); err != nil || !strings.HasPrefix(text, "b42af09057bac1e2d41708e48a902e09") {
		t.Errorf("got %v, %v", sha512, err)
	}
}

func TestUUID(t *testing.T) {
	draws := []uint64{0x0123456789abcdef, 0xffffffffffffffff}
	scope := action.Scope{Random: func() uint64 {
		next := draws[0]
		draws = draws[1:]
		return next
	}}
	actiontest.Run(t, Actions(), scope, []actiontest.Row{
		{Action: "uuid.new", Want: object{"uuid": "01234567-89ab-4def-bfff-ffffffffffff"}},
	})
	actiontest.Run(t, Actions(), action.Scope{}, []actiontest.Row{{Action: "uuid.new", Kind: action.Permission, Says: "outside of a run"}})
}
