import Glibc

/// An agent that answers each connection with its process id and ends on SIGTERM.
enum FakeAgent {
    static func run() -> Int32 {
        guard let text = getenv("ESETS_LISTEN").map({ String(cString: $0) }),
            let number = text.split(separator: " ").first?.split(separator: ":").last.flatMap({ Int32($0) })
        else { return 78 }
        signal(SIGHUP, SIG_IGN)
        while true {
            var entry = pollfd(fd: number, events: Int16(POLLIN), revents: 0)
            guard poll(&entry, 1, -1) > 0 else { continue }
            let connection = accept(number, nil, nil)
            guard connection >= 0 else { continue }
            let reply = Array("\(getpid())\n".utf8)
            _ = write(connection, reply, reply.count)
            close(connection)
        }
    }
}
