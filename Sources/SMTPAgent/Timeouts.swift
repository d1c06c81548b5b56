/// How long each state of the protocol may last, in seconds. Towards the client these are the times of RFC 5321
/// section 4.5.3.2.7; towards the next hop a little less than section 4.5.3.2 grants the client,
/// so that the client hears of a silent next hop before it gives up on us.
package struct Timeouts: Sendable, Equatable {
    /// Waiting for the client's next command.
    package var command = 300
    /// Waiting for 64 KiB of content; a slow sender must come on by that much.
    package var content = 180
    /// Handshake of TLS, either side.
    package var tls = 60
    package var connect = 20
    package var greeting = 240
    package var hopCommand = 270
    package var hopData = 110
    /// Sending 64 KiB of content.
    package var hopContent = 170
    /// Waiting for the verdict.
    package var scan = 290
    /// A scan that took longer is followed by a look whether the client still waits.
    package var longScan = 5
    /// Waiting for the reply to the final dot. With the scan it stays below the 10 minutes of a client.
    package var hopFinal = 280
    /// From the end of the client's message until its end must have been sent on: a client that waits 10 minutes for the
    /// reply (RFC 5321 section 4.5.3.2.6) hears of it then. After that it would send the message a second time.
    package var latestEnd = 310
    /// How long an idle connection to the next hop is kept for the next session; 0 = not at all.
    package var keepHop = 2
    /// For a farewell.
    package var quit = 5

    package init() {}
}
