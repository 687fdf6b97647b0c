package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
)

// Names returns the file of each workflow name; see [journal.Names].
func (j *Journal) Names(ctx context.Context) (map[string]string, error) {
	files := map[string]string{}
	err := j.view(ctx, func(v view) error {
		return v.names(ctx, func(workflow, file string, damage *Damage) error {
			if damage != nil {
				return *damage
			}
			files[workflow] = file
			return nil
		})
	})
	return files, err
}

// names visits the workflow names. A damaged row is visited with its damage.
func (v view) names(ctx context.Context, visit func(workflow, file string, damage *Damage) error) error {
	return v.each(ctx, "SELECT workflow, file, crc FROM names ORDER BY workflow", nil, func(rows *sql.Rows) error {
		var workflow, file string
		var crc int64
		if err := rows.Scan(&workflow, &file, &crc); err != nil {
			return err
		}
		var damage *Damage
		if crc != checkOf(workflow, file) {
			damage = &Damage{Message: fmt.Sprintf("the file that the workflow name %s belongs to does not match its checksum", workflow)}
		}
		return visit(workflow, file, damage)
	})
}

// SaveNames stores the files of workflow names; see [journal.Names].
func (j *Journal) SaveNames(ctx context.Context, files map[string]string) error {
	if len(files) == 0 {
		return nil
	}
	return j.writer.write(ctx, func(ctx context.Context, s *session) error {
		for _, workflow := range slices.Sorted(maps.Keys(files)) {
			file := files[workflow]
			if _, err := s.exec(ctx, "INSERT OR REPLACE INTO names (workflow, file, crc) VALUES (?, ?, ?)", workflow, file, checkOf(workflow, file)); err != nil {
				return err
			}
		}
		return nil
	})
}

// verifyNames reports names that do not match their checksums.
func (v view) verifyNames(ctx context.Context, report func(Damage)) error {
	return v.names(ctx, func(_, _ string, damage *Damage) error {
		if damage != nil {
			report(*damage)
		}
		return nil
	})
}
