// Package control is the connection between commands and the daemon that serves their
// data folder: HTTP with JSON over a Unix socket in that folder.
//
//   - [Daemon] has the requests. The daemon implements it, and [Client] has the same
//     methods.
//   - [Listen] makes the socket, [Server] returns the server for it, and [New] returns a
//     client.
//   - [Error] is an error for people and for programs. A client returns [ErrNoDaemon] if
//     no daemon is running. That is not always a failure: most commands then use the
//     journal directly.
//
// # Who has access
//
// Only the user of the daemon and root have access. The socket has mode 0600 from the
// moment at which it can be found. On Linux and macOS the listener also asks the system
// for the user of a connection, and refuses other users.
//
// # Who owns the socket
//
// The socket belongs to the daemon that holds the scheduler's lock. Only this daemon calls
// [Listen], which replaces the socket of a daemon that died, in one step. A standby daemon
// has no socket.
//
// # Privacy
//
// Inputs go to the daemon and never come back. No answer contains an input, an output or a
// secret, and messages pass the daemon's redactor.
package control
