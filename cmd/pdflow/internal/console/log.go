package console

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/pdflow/pdflow/engine/redact"
)

// MaskedLog returns a log that masks the secrets that the redactor knows, in messages and attributes,
// and writes to a log.
func MaskedLog(to *slog.Logger, redactor *redact.Redactor) *slog.Logger {
	return slog.New(&maskedLog{to.Handler(), redactor})
}

type maskedLog struct {
	slog.Handler
	redactor *redact.Redactor
}

// Handle writes the masked record.
func (h *maskedLog) Handle(ctx context.Context, r slog.Record) error {
	masked := slog.NewRecord(r.Time, r.Level, h.redactor.Redact(r.Message), r.PC)
	r.Attrs(func(a slog.Attr) bool {
		masked.AddAttrs(h.mask(a))
		return true
	})
	return h.Handler.Handle(ctx, masked)
}

// WithAttrs returns a handler with masked attributes.
func (h *maskedLog) WithAttrs(attributes []slog.Attr) slog.Handler {
	masked := make([]slog.Attr, len(attributes))
	for i, a := range attributes {
		masked[i] = h.mask(a)
	}
	return &maskedLog{h.Handler.WithAttrs(masked), h.redactor}
}

// WithGroup returns a handler whose attributes are in a group.
func (h *maskedLog) WithGroup(name string) slog.Handler {
	return &maskedLog{h.Handler.WithGroup(name), h.redactor}
}

// mask masks an attribute. Of a value of another type than those of slog it masks the text.
func (h *maskedLog) mask(a slog.Attr) slog.Attr {
	switch v := a.Value.Resolve(); v.Kind() {
	case slog.KindString:
		return slog.String(a.Key, h.redactor.Redact(v.String()))
	case slog.KindAny:
		return slog.String(a.Key, h.redactor.Redact(fmt.Sprint(v.Any())))
	case slog.KindGroup:
		group := make([]any, len(v.Group()))
		for i, inner := range v.Group() {
			group[i] = h.mask(inner)
		}
		return slog.Group(a.Key, group...)
	}
	return a
}
