package console

import (
	"strings"
)

// DateTime is how a list shows when something began.
const DateTime = "2006-01-02 15:04:05"

// Table is rows in aligned columns, the headings first. Paint may style the cells of
// the others, which are padded by then; nil leaves them plain.
func Table(rows [][]string, widths []int, paint func(n int, row []string)) string {
	var b strings.Builder
	for n, row := range rows {
		for i := range row {
			row[i] = Pad(row[i], widths[i])
		}
		if n > 0 && paint != nil {
			paint(n-1, row)
		}
		b.WriteString(strings.TrimRight(strings.Join(row, "  "), " ") + "\n")
	}
	return b.String()
}

// ColumnWidths are those of the widest cells, and how wide a line is with two
// spaces between.
func ColumnWidths(rows [][]string) (widths []int, whole int) {
	widths = make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], Columns(cell))
		}
	}
	whole = 2 * (len(widths) - 1)
	for _, width := range widths {
		whole += width
	}
	return widths, whole
}
