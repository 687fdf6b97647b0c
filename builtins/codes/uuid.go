package codes

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/pdflow/pdflow/engine/action"
)

func uuidActions() []*action.Action {
	return []*action.Action{
		action.New(action.Spec{
			Name:    "uuid.new",
			Summary: "Return a new random UUID.",
			Doc: "It has the form of version 4. It is derived from the run, the step, the item and the number of UUIDs " +
				"before it, so a step that is run again gets the same UUIDs in the same order.",
			Effect: action.Pure,
			Spread: true,
		}, newUUID),
	}
}

type uuidInput struct{}

type uuidOutput struct {
	UUID string `json:"uuid" doc:"The UUID, in lower case"`
}

func newUUID(ctx context.Context, _ uuidInput) (uuidOutput, error) {
	random := action.ScopeOf(ctx).Random
	if random == nil {
		return uuidOutput{}, action.Errorf(action.Permission, "there are no random numbers outside of a run")
	}
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], random())
	binary.BigEndian.PutUint64(b[8:], random())
	b[6] = b[6]&0x0f | 0x40 // RFC 9562 4.2: version 4
	b[8] = b[8]&0x3f | 0x80 // RFC 9562 4.1: variant 10
	return uuidOutput{UUID: fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])}, nil
}
