package codes

import (
	"context"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // services still sign their webhooks with HMAC-SHA1, which is not broken
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"hash"

	"github.com/pdflow/pdflow/engine/action"
)

func hashActions() []*action.Action {
	return []*action.Action{
		action.New(action.Spec{
			Name:    "hash.sha256",
			Summary: "Return the SHA-256 of a text, in hexadecimal digits.",
			Effect:  action.Pure,
			Args:    []string{"text"},
			Spread:  true,
		}, hashSHA256),
		action.New(action.Spec{
			Name:    "hash.hmac",
			Summary: "Sign a text with a key.",
			Doc:     "The key may be a secret: it is used inside the process and does not leave it.",
			Effect:  action.Pure,
			Spread:  true,
		}, hashHMAC),
	}
}

type sha256Input struct {
	Text string `json:"text" required:"true" doc:"The text"`
}

type sha256Output struct {
	Hash string `json:"hash" doc:"64 hexadecimal digits in lower case"`
}

func hashSHA256(_ context.Context, in sha256Input) (sha256Output, error) {
	sum := sha256.Sum256([]byte(in.Text))
	return sha256Output{Hash: hex.EncodeToString(sum[:])}, nil
}

type hmacInput struct {
	Key       action.Credential `json:"key" required:"true" doc:"The key, which may be a secret"`
	Text      string            `json:"text" required:"true" doc:"The text to sign"`
	Algorithm string            `json:"algorithm" default:"sha256" enum:"sha256,sha1,sha512" doc:"The hash function"`
	Encoding  string            `json:"encoding" default:"hex" enum:"hex,base64" doc:"How the signature is written"`
}

type hmacOutput struct {
	Signature string `json:"signature" doc:"The signature"`
}

var hmacAlgorithms = map[string]func() hash.Hash{
	"sha256": sha256.New,
	"sha1":   sha1.New,
	"sha512": sha512.New,
}

func hashHMAC(ctx context.Context, in hmacInput) (hmacOutput, error) {
	key, err := in.Key.Reveal(ctx, action.InProcess)
	if err != nil {
		return hmacOutput{}, err
	}
	mac := hmac.New(hmacAlgorithms[in.Algorithm], []byte(key))
	mac.Write([]byte(in.Text)) // a hash never fails to write
	sum := mac.Sum(nil)
	if in.Encoding == "base64" {
		return hmacOutput{Signature: base64.StdEncoding.EncodeToString(sum)}, nil
	}
	return hmacOutput{Signature: hex.EncodeToString(sum)}, nil
}
