package sqlite

import (
	"sync"
	"testing"
	"unsafe"

	"modernc.org/libc"
	"modernc.org/libc/sys/types"
	sqlite3 "modernc.org/sqlite/lib"
)

// faultyVFS is the name of a file system for SQLite. It is SQLite's own, except that a test
// can let writes and flushes of the database and of its log fail.
const faultyVFS = "faulty"

// A diskOperation is an operation that can fail.
type diskOperation struct {
	log   bool // of the write-ahead log; false for the database
	write bool // false for a flush
}

// A diskFault is how an operation fails: with a result code of SQLite, after the first
// bytes were written.
type diskFault struct {
	code    int32
	written int32
}

// faultyDisk is the state of the file system. SQLite calls its functions by address, so
// there can be only one.
var faultyDisk struct {
	once    sync.Once
	base    sqlite3.Tsqlite3_vfs
	methods [2]sqlite3.Tsqlite3_io_methods // SQLite's own, for the database and the log
	ours    [2]uintptr                     // copies of methods with our functions

	lock sync.Mutex
	fail func(diskOperation) *diskFault // nil: nothing fails
}

// failDisk lets the operations fail for which fail returns a fault, until the end of the
// test or until failDisk is called with nil.
func failDisk(t testing.TB, fail func(diskOperation) *diskFault) {
	t.Helper()
	set := func(fail func(diskOperation) *diskFault) {
		faultyDisk.lock.Lock()
		defer faultyDisk.lock.Unlock()
		faultyDisk.fail = fail
	}
	set(fail)
	t.Cleanup(func() { set(nil) })
}

// useFaultyDisk registers the file system with SQLite.
func useFaultyDisk(t testing.TB) {
	t.Helper()
	faultyDisk.once.Do(func() {
		tls := libc.NewTLS()
		base := sqlite3.Xsqlite3_vfs_find(tls, 0)
		faultyDisk.base = *(*sqlite3.Tsqlite3_vfs)(address(base))
		ours := libc.Xmalloc(tls, types.Size_t(unsafe.Sizeof(faultyDisk.base)))
		name, err := libc.CString(faultyVFS)
		if err != nil {
			t.Fatal(err)
		}
		copied := (*sqlite3.Tsqlite3_vfs)(address(ours))
		*copied = faultyDisk.base
		copied.FzName, copied.FxOpen = name, pointer(faultyOpen)
		if code := sqlite3.Xsqlite3_vfs_register(tls, ours, 0); code != sqlite3.SQLITE_OK {
			t.Fatalf("the file system cannot be registered: %d", code)
		}
		for i := range faultyDisk.ours {
			faultyDisk.ours[i] = libc.Xmalloc(tls, types.Size_t(unsafe.Sizeof(faultyDisk.methods[i])))
		}
	})
}

// address returns a pointer to memory of SQLite, which Go's garbage collector does not
// manage.
func address(p uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&p)) }

// pointer returns a function as SQLite stores it, and called reverses that.
func pointer[F any](f F) uintptr { return *(*uintptr)(unsafe.Pointer(&struct{ f F }{f})) }

func called[F any](p uintptr) F { return *(*F)(unsafe.Pointer(&struct{ p uintptr }{p})) }

// faultyOpen opens a file as SQLite does, and replaces its functions with ours.
func faultyOpen(tls *libc.TLS, vfs, name, file uintptr, flags int32, out uintptr) int32 {
	code := called[func(*libc.TLS, uintptr, uintptr, uintptr, int32, uintptr) int32](faultyDisk.base.FxOpen)(tls, vfs, name, file, flags, out)
	if code != sqlite3.SQLITE_OK || flags&(sqlite3.SQLITE_OPEN_MAIN_DB|sqlite3.SQLITE_OPEN_WAL) == 0 {
		return code
	}
	kind := 0
	if flags&sqlite3.SQLITE_OPEN_WAL != 0 {
		kind = 1
	}
	faultyDisk.lock.Lock()
	defer faultyDisk.lock.Unlock()
	opened := (*sqlite3.Tsqlite3_file)(address(file))
	faultyDisk.methods[kind] = *(*sqlite3.Tsqlite3_io_methods)(address(opened.FpMethods))
	copied := (*sqlite3.Tsqlite3_io_methods)(address(faultyDisk.ours[kind]))
	*copied = faultyDisk.methods[kind]
	copied.FxWrite, copied.FxSync = pointer(databaseWrite), pointer(databaseSync)
	if kind == 1 {
		copied.FxWrite, copied.FxSync = pointer(logWrite), pointer(logSync)
	}
	opened.FpMethods = faultyDisk.ours[kind]
	return code
}

func databaseWrite(tls *libc.TLS, file, from uintptr, n int32, at int64) int32 {
	return faultyWrite(tls, 0, file, from, n, at)
}

func logWrite(tls *libc.TLS, file, from uintptr, n int32, at int64) int32 {
	return faultyWrite(tls, 1, file, from, n, at)
}

func databaseSync(tls *libc.TLS, file uintptr, flags int32) int32 {
	return faultySync(tls, 0, file, flags)
}

func logSync(tls *libc.TLS, file uintptr, flags int32) int32 { return faultySync(tls, 1, file, flags) }

// diskFails returns the fault of an operation, nil when it succeeds, and SQLite's own
// functions.
func diskFails(kind int, write bool) (fault *diskFault, methods sqlite3.Tsqlite3_io_methods) {
	faultyDisk.lock.Lock()
	defer faultyDisk.lock.Unlock()
	if faultyDisk.fail != nil {
		fault = faultyDisk.fail(diskOperation{log: kind == 1, write: write})
	}
	return fault, faultyDisk.methods[kind]
}

func faultyWrite(tls *libc.TLS, kind int, file, from uintptr, n int32, at int64) int32 {
	fault, methods := diskFails(kind, true)
	write := called[func(*libc.TLS, uintptr, uintptr, int32, int64) int32](methods.FxWrite)
	if fault == nil {
		return write(tls, file, from, n, at)
	}
	if part := min(fault.written, n); part > 0 {
		write(tls, file, from, part, at)
	}
	return fault.code
}

func faultySync(tls *libc.TLS, kind int, file uintptr, flags int32) int32 {
	fault, methods := diskFails(kind, false)
	if fault != nil {
		return fault.code
	}
	return called[func(*libc.TLS, uintptr, int32) int32](methods.FxSync)(tls, file, flags)
}
