package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/pdflow/pdflow/engine/journal"
)

// Schedules returns the states of all schedules; see [journal.Schedules].
func (j *Journal) Schedules(ctx context.Context) ([]journal.ScheduleState, error) {
	var states []journal.ScheduleState
	err := j.view(ctx, func(v view) error {
		return v.schedules(ctx, func(s journal.ScheduleState, damage *Damage) error {
			if damage != nil {
				return *damage
			}
			states = append(states, s)
			return nil
		})
	})
	return states, err
}

// schedules visits the states of schedules. A damaged state is visited with its damage.
func (v view) schedules(ctx context.Context, visit func(journal.ScheduleState, *Damage) error) error {
	const query = "SELECT workflow, schedule, watermark, pause, crc, spec, retired, spec_crc FROM schedules ORDER BY workflow, schedule"
	return v.each(ctx, query, nil, func(rows *sql.Rows) error {
		var s journal.ScheduleState
		var watermark, crc, specCRC int64
		var pause []byte
		if err := rows.Scan(&s.Workflow, &s.Schedule, &watermark, &pause, &crc, &s.Spec, &s.Retired, &specCRC); err != nil {
			return err
		}
		s.Watermark = instant(watermark)
		var damage *Damage
		if crc != scheduleCheck(s, watermark, pause) || specCRC != specCheck(s) {
			damage = &Damage{Message: fmt.Sprintf("the state of the schedule %s of %s does not match its checksum", s.Schedule, s.Workflow)}
		} else if len(pause) > 0 {
			if err := json.Unmarshal(pause, &s.Pause); err != nil {
				damage = &Damage{Message: fmt.Sprintf("the pause of the schedule %s of %s cannot be read: %v", s.Schedule, s.Workflow, err)}
			}
		}
		return visit(s, damage)
	})
}

// SaveSchedules stores the watermarks of schedules; see [journal.Schedules].
func (j *Journal) SaveSchedules(ctx context.Context, states []journal.ScheduleState) error {
	if len(states) == 0 {
		return nil
	}
	return j.writer.write(ctx, func(ctx context.Context, s *session) error {
		for _, state := range states {
			_, pause, _, err := s.schedule(ctx, state.Workflow, state.Schedule)
			if err != nil {
				return err
			}
			watermark, err := nanoseconds(state.Watermark)
			if err != nil {
				return err
			}
			if err := s.saveSchedule(ctx, state, watermark, pause); err != nil {
				return err
			}
		}
		return nil
	})
}

// PauseSchedule pauses a schedule, or ends its pause; see [journal.Schedules].
func (j *Journal) PauseSchedule(ctx context.Context, workflow, schedule string, pause *journal.Pause) error {
	text := []byte{}
	if pause != nil {
		var err error
		if text, err = json.Marshal(pause); err != nil {
			return err
		}
	}
	return j.writer.write(ctx, func(ctx context.Context, s *session) error {
		watermark, _, state, err := s.schedule(ctx, workflow, schedule)
		if err != nil {
			return err
		}
		return s.saveSchedule(ctx, state, watermark, text)
	})
}

// schedule reads the state of a schedule. A new schedule has a zero watermark and no pause.
func (s *session) schedule(ctx context.Context, workflow, schedule string) (watermark int64, pause []byte, state journal.ScheduleState, err error) {
	state.Workflow, state.Schedule = workflow, schedule
	err = s.row(ctx, "SELECT watermark, pause, spec, retired FROM schedules WHERE workflow = ? AND schedule = ?",
		[]any{workflow, schedule}, &watermark, &pause, &state.Spec, &state.Retired)
	if errors.Is(err, sql.ErrNoRows) {
		watermark, err = nanoseconds(time.Time{})
	}
	return watermark, blob(pause), state, err
}

func (s *session) saveSchedule(ctx context.Context, state journal.ScheduleState, watermark int64, pause []byte) error {
	_, err := s.exec(ctx, "INSERT OR REPLACE INTO schedules (workflow, schedule, watermark, pause, crc, spec, retired, spec_crc) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
		state.Workflow, state.Schedule, watermark, pause, scheduleCheck(state, watermark, pause), state.Spec, state.Retired, specCheck(state))
	return err
}

// scheduleCheck returns the checksum of a row.
func scheduleCheck(s journal.ScheduleState, watermark int64, pause []byte) int64 {
	var c checksum
	c.texts(s.Workflow, s.Schedule, string(pause))
	c.integers(watermark)
	return c.sum()
}

// specCheck returns the checksum of what layout 4 added to a row: 0 when it adds nothing.
func specCheck(s journal.ScheduleState) int64 {
	if s.Spec == "" && !s.Retired {
		return 0
	}
	return checkOf(s.Workflow, s.Schedule, s.Spec, strconv.FormatBool(s.Retired))
}

// verifySchedules reports states that do not match their checksums.
func (v view) verifySchedules(ctx context.Context, report func(Damage)) error {
	return v.schedules(ctx, func(_ journal.ScheduleState, damage *Damage) error {
		if damage != nil {
			report(*damage)
		}
		return nil
	})
}
