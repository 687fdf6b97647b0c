// Package control is the protocol between commands and the daemon of their data folder: HTTP with JSON
// over a Unix socket in the folder.
//
//   - [Daemon] is the interface of the requests. The daemon implements it, and [Client] does too.
//   - [Listen] makes the socket, [Server] answers requests, [New] returns a client.
//   - An [Error] has a code for programs and a message for people. If no daemon is running, requests fail
//     with [ErrNoDaemon], and most commands then do the work themselves.
//
// # Who may connect
//
// The user of the daemon, and root. The socket has mode 0600 before it gets its name. On Linux and macOS
// the daemon also checks the user of each connection.
//
// # Who owns the socket
//
// The daemon that holds the scheduler's lock. Only this daemon calls [Listen], which replaces a socket
// that another daemon left when it died. A daemon on standby has no socket.
//
// # What is sent
//
// Inputs are sent to the daemon and never back. No answer has an input, an output or a secret, and
// messages pass the redactor of the daemon.
package control
