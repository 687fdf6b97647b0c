// Package control is how commands talk to the daemon that serves their data folder:
// HTTP with JSON over a Unix socket in that folder.
//
//   - A [Daemon] is what can be asked for; the daemon implements it, and the [Client]
//     has the same methods.
//   - [Listen] makes the socket, [Server] answers on it, [New] returns a client for it.
//   - An [Error] is what went wrong, for people and for programs. A client meets
//     [ErrNoDaemon] when no daemon lives, which is not always wrong: most commands then
//     work on the journal themselves.
//
// # Who may ask
//
// The owner of the daemon and root. The socket has mode 0600 from the moment at which
// it can be found, and where the system says who is at the other end (Linux, macOS)
// others are refused even if they could open it.
//
// # Whose socket it is
//
// The socket belongs to the holder of the scheduler's lock: only it calls [Listen],
// which replaces what a daemon that died has left, in one step. A daemon that stands
// by has no socket.
//
// # What travels
//
// Inputs travel to the daemon and never back: no answer has an input, an output or
// a secret, and messages pass the daemon's redactor.
package control
