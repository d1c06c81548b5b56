import CLinux
import Glibc
import Platform

/// Enters a confinement like that of the fetching process, and tries what it should forbid and what it must not.
enum ConfinementCheck {
    /// - Parameters:
    ///   - folder: that can be written to.
    ///   - readable: a file that can be read.
    ///   - program: that can be started; nil: none.
    static func run(folder: String, readable: String, program: String?) -> Int32 {
        let control = Descriptor(owning: 3)
        // A server of somebody else.
        let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard let address = Loopback.listen(server) else { return 2 }
        var confinement = Confinement()
        confinement.writable = [folder, "/dev/null"]
        confinement.readable = [readable]
        confinement.mayConnect = true
        if let program { confinement.programs = [program] }
        guard (try? Privileges.gainNoMore()) != nil else { return 1 }
        var lines = confinement.enter().map { "warning: \($0)" }
        func told(_ name: String, _ result: Int32) { lines.append("\(name) \(result < 0 ? "refused" : "allowed")") }
        told("passwd", open("/etc/passwd", O_RDONLY))
        told("beside", open(Files.parent(of: folder) + "/beside", O_WRONLY | O_CREAT, 0o600))
        told("into readable", open(readable, O_WRONLY))
        told("readable", open(readable, O_RDONLY))
        told("inside", open("\(folder)/file", O_WRONLY | O_CREAT | O_EXCL, 0o600))
        told("rename", rename("\(folder)/file", "\(folder)/other"))
        told("unlink", unlink("\(folder)/other"))
        told("leave", rename(readable, "\(folder)/stolen"))
        told("link", link(readable, "\(folder)/linked"))
        told("packet", socket(AF_PACKET, Int32(SOCK_RAW.rawValue), 0))
        told("connect", Loopback.connect(to: address))
        let own = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        told("listen", listen(own, 1))
        var found: UnsafeMutablePointer<addrinfo>?
        told("names", getaddrinfo("localhost", "80", nil, &found) == 0 ? 0 : -1)
        told("authorities", open("/etc/ssl/certs", O_RDONLY | O_DIRECTORY))
        told("root", setuid(0))
        for name in ["/bin/true", "/bin/cat"] { told("start \(name)", start(name)) }
        var argv: [UnsafeMutablePointer<CChar>?] = [strdup("false"), nil]
        // The last but one: an exec that works ends everything.
        told("exec", execv("/bin/false", &argv))
        let thread = try? NativeThread {}
        thread?.join()
        told("thread", thread != nil ? 0 : -1)
        try? UnixSocket.send(control, Array(lines.joined(separator: "\n").utf8))
        return 0
    }

    /// 0 when the program runs and ends well.
    private static func start(_ path: String) -> Int32 {
        guard let child = try? ChildProcess.spawn(path, arguments: [path, "/dev/null"], environment: [:]) else {
            return -1
        }
        return (try? ChildProcess.wait(child)) == .exited(0) ? 0 : -1
    }
}

/// Connections within the machine.
private enum Loopback {
    static func listen(_ server: Int32) -> sockaddr_in? {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let works = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                bind(server, generic, length) == 0 && Glibc.listen(server, 1) == 0
                    && getsockname(server, generic, &length) == 0
            }
        }
        return works ? address : nil
    }

    static func connect(to address: sockaddr_in) -> Int32 {
        let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        return withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                Glibc.connect(client, generic, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}
