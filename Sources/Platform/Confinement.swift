import CLinux
import Glibc

/// What a process keeps when it gives up everything else for good, before it looks at what strangers made. Whoever takes
/// it over shall find nothing here.
///
/// Landlock says which files can be opened, seccomp which system calls are left. Needs `Privileges.gainNoMore`.
package struct Confinement: Sendable, Equatable {
    /// Files and directories that can be read.
    package var readable: [String] = []
    /// Files and directories that can be written to, and read.
    package var writable: [String] = []
    /// Programs that can be started; without any, no process can be made at all.
    package var programs: [String] = []
    /// Whether connections to others can be made. It can never listen.
    package var mayConnect = false

    package init() {}

    /// What libraries need, whatever a process does.
    package static let libraries = [
        "/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache", "/etc/localtime",
        "/usr/share/zoneinfo", "/etc/ssl/openssl.cnf", "/dev/null", "/dev/urandom",
    ]
    /// What getaddrinfo and its plugins read, and where certificates of authorities are.
    package static let network = [
        "/etc/hosts", "/etc/host.conf", "/etc/hostname", "/etc/resolv.conf", "/etc/nsswitch.conf", "/etc/gai.conf",
        "/etc/services", "/etc/protocols", "/run/systemd/resolve", "/run/resolvconf", "/run/NetworkManager",
        "/var/lib/sss", "/run/nscd", "/var/cache/nscd", "/etc/ssl", "/etc/pki", "/etc/ca-certificates",
        "/usr/share/ca-certificates", "/usr/local/share/ca-certificates", "/var/lib/ca-certificates",
        "/etc/crypto-policies", "/usr/share/crypto-policies",
    ]
    /// A program needs the one that loads its libraries.
    private static let loaders = [
        "/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1",
    ]

    /// Enters it, before any other thread is started.
    ///
    /// - Returns: a sentence for each protection that the system does not offer.
    package func enter() -> [String] {
        var missing: [String] = []
        let version = restrictFiles()
        if version == 0 { missing.append("the kernel has no Landlock: files are protected by their modes alone") }
        if version < 0 {
            missing.append("Landlock failed (\(SystemError.text(of: errno))): files are protected by their modes alone")
        }
        if CLinux_seccomp(powers) != 0 {
            missing.append("seccomp is not available (\(SystemError.text(of: errno))): system calls are not restricted")
        }
        return missing
    }

    private var powers: Int32 {
        var powers = 0
        if !writable.isEmpty { powers |= CLinux_MAY_WRITE }
        if mayConnect { powers |= CLinux_MAY_CONNECT }
        if !programs.isEmpty { powers |= CLinux_MAY_RUN }
        return Int32(powers)
    }

    /// The version of Landlock's interface, 0 without it, -1 when it fails.
    private func restrictFiles() -> Int32 {
        let loaders = programs.isEmpty ? [] : Self.loaders
        let rights = [
            (readable + Self.libraries, CLinux_READ), (mayConnect ? Self.network : [], CLinux_READ),
            (writable, CLinux_READ | CLinux_WRITE), (programs + loaders, CLinux_RUN),
        ]
        var places: [CLinux_place] = []
        for (paths, right) in rights {
            for path in paths where !path.isEmpty {
                places.append(CLinux_place(path: strdup(path), rights: Int32(right)))
            }
        }
        defer { for place in places { free(UnsafeMutablePointer(mutating: place.path)) } }
        return CLinux_landlock(places, Int32(places.count), powers)
    }
}
