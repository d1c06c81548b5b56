import CLinux
import Glibc
import Platform
import ScanService

/// Enters the sandbox and tries what it should forbid and what it must not.
enum SandboxCheck {
    static func run() -> Int32 {
        let control = Descriptor(owning: 3)
        var lines: [String] = []
        do throws(SystemError) {
            try Sandbox.enter(user: "nobody", readable: []) { lines.append("warning: \($0)") }
        } catch {
            return 1
        }
        func refused(_ name: String, _ result: Int32) { lines.append("\(name) \(result < 0 ? "refused" : "allowed")") }
        refused("passwd", open("/etc/passwd", O_RDONLY))
        refused("write", open("/tmp/esets-sandbox", O_WRONLY | O_CREAT, 0o600))
        refused("socket", socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0))
        refused("root", setuid(0))
        var argv: [UnsafeMutablePointer<CChar>?] = [strdup("true"), nil]
        refused("exec", execv("/bin/true", &argv))
        var child: pid_t = 0
        refused("fork", posix_spawn(&child, "/bin/true", nil, nil, &argv, environ) == 0 ? 0 : -1)
        let thread = try? NativeThread {}
        thread?.join()
        lines.append("thread \(thread != nil ? "works" : "fails")")
        lines.append("memfd \(CLinux_memfd("x") >= 0 ? "works" : "fails")")
        lines.append("library \(dlopen("libz.so.1", RTLD_NOW) != nil ? "works" : "fails")")
        try? UnixSocket.send(control, Array(lines.joined(separator: "\n").utf8))
        return 0
    }
}
