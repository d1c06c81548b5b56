import CLinux
import Glibc
import Platform

/// A place where an agent listens.
enum ListeningPlace: Hashable, CustomStringConvertible {
    /// A host name or address, "" for all addresses, and a port.
    case internet(host: String, port: Int)
    /// A path, who may connect there, and its owner as "user:group" ("" leaves it as it is).
    case unix(path: String, mode: UInt32 = 0o666, owner: String = "")

    var description: String {
        switch self {
        case .internet(let host, let port): "\(host.isEmpty ? "*" : host):\(port)"
        case .unix(let path, _, _): path
        }
    }
}

/// Opens listening sockets for agents, while the manager still may.
enum ListeningSocket {
    private static let backlog: Int32 = 1_024

    /// The sockets of a place: one for each address.
    ///
    /// - Parameter addresses: those of the host, if the place names one.
    static func open(_ place: ListeningPlace, addresses: [String]) throws(SystemError) -> [Descriptor] {
        switch place {
        case .internet(_, let port):
            var sockets: [Descriptor] = []
            var failure: SystemError?
            for address in addresses {
                do throws(SystemError) {
                    sockets += try open(host: address, port: port)
                } catch {
                    // "localhost" also names ::1, which some machines do not have.
                    if error.code != EAFNOSUPPORT && error.code != EADDRNOTAVAIL { throw error }
                    failure = error
                }
            }
            if sockets.isEmpty { throw failure ?? SystemError("bind", "\(place)", code: EADDRNOTAVAIL) }
            return sockets
        case .unix(let path, let mode, let owner): return [try open(path: path, mode: mode, owner: owner)]
        }
    }

    private static func open(host: String, port: Int) throws(SystemError) -> [Descriptor] {
        var hints = addrinfo()
        // No names: looking them up may take long.
        hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV | AI_NUMERICHOST
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host.isEmpty ? nil : host, String(port), &hints, &list)
        guard code == 0, let list else {
            throw SystemError("getaddrinfo \(String(cString: gai_strerror(code)))", host, code: EADDRNOTAVAIL)
        }
        defer { freeaddrinfo(list) }
        var sockets: [Descriptor] = []
        var failure: SystemError?
        var next: UnsafeMutablePointer<addrinfo>? = list
        while let entry = next?.pointee {
            next = entry.ai_next
            do throws(SystemError) {
                sockets.append(try bound(entry, "\(host):\(port)"))
            } catch {
                // A host without IPv6 still listens on IPv4; an address in use is an error.
                if error.code != EAFNOSUPPORT && error.code != EADDRNOTAVAIL { throw error }
                failure = error
            }
        }
        if sockets.isEmpty { throw failure ?? SystemError("bind", "\(host):\(port)", code: EADDRNOTAVAIL) }
        return sockets
    }

    private static func bound(_ entry: addrinfo, _ name: String) throws(SystemError) -> Descriptor {
        let flags = Int32(SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let socket = Descriptor(
            owning: try checked("socket", name) { Glibc.socket(entry.ai_family, entry.ai_socktype | flags, 0) })
        var one: Int32 = 1
        setsockopt(socket.raw, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
        if entry.ai_family == AF_INET6 {
            setsockopt(
                socket.raw, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &one, socklen_t(MemoryLayout<Int32>.size))
        }
        _ = try checked("bind", name) { bind(socket.raw, entry.ai_addr, entry.ai_addrlen) }
        _ = try checked("listen", name) { listen(socket.raw, backlog) }
        return socket
    }

    /// A stream socket at a path. Mostly for everybody: the mail server runs under a user of its own.
    private static func open(path: String, mode: UInt32, owner: String) throws(SystemError) -> Descriptor {
        let ids = try ids(owner)
        let flags = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let socket = Descriptor(owning: try checked("socket", path) { Glibc.socket(AF_UNIX, flags, 0) })
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw SystemError("bind", path, code: ENAMETOOLONG)
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        try Files.makeDirectory(Files.parent(of: path))
        unlink(path)
        let size = socklen_t(MemoryLayout<sockaddr_un>.size)
        _ = try checked("bind", path) {
            withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(socket.raw, $0, size) }
            }
        }
        // Nobody can connect before the socket listens.
        _ = try checked("chown", path) { lchown(path, ids.user, ids.group) }
        _ = try checked("chmod", path) { chmod(path, mode) }
        _ = try checked("listen", path) { listen(socket.raw, backlog) }
        return socket
    }

    /// The ids of "user:group", "user" or ":group"; what is not named stays as it is.
    private static func ids(_ owner: String) throws(SystemError) -> (user: uid_t, group: gid_t) {
        let parts = owner.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        var ids: (user: uid_t, group: gid_t) = (.max, .max)
        if let name = parts.first, !name.isEmpty {
            guard let user = UserAccount(named: name) else { throw SystemError("find user", name, code: ENOENT) }
            ids.user = user.uid
        }
        if parts.count == 2, !parts[1].isEmpty {
            guard let group = getgrnam(parts[1]) else { throw SystemError("find group", parts[1], code: ENOENT) }
            ids.group = group.pointee.gr_gid
        }
        return ids
    }
}
