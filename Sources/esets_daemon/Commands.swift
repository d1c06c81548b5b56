import Configuration
import Glibc
import JSON
import Platform
import Programs
import ScanClient
import ScanProtocol
import Supervision

/// Commands to the running daemon.
struct Commands {
    let program: Program
    let paths: Paths

    private var connection: ScanConnection {
        // Whoever may not read the configuration still finds the daemon at the usual place.
        let configuration = (try? Configuration.load(paths: paths)) ?? Configuration.builtIn(paths: paths)
        return ScanConnection(path: configuration.daemonSocket, agent: "daemon", patience: .zero)
    }

    func status(asJSON: Bool) -> Never {
        run { () throws(ScanClientError) in
            let lines = try connection.status()
            if asJSON {
                let facts = Dictionary(lines.map { ($0.name, JSONValue.string($0.value)) }, uniquingKeysWith: { $1 })
                Console.print(JSONValue.object(facts).text(.pretty))
            } else {
                for line in lines { Console.print("\(line.name)=\(printable(line.value))") }
            }
        }
    }

    func reload() -> Never {
        run { () throws(ScanClientError) in Console.print(try connection.reload()) }
    }

    func stop() -> Never {
        run { () throws(ScanClientError) in
            _ = try connection.stop()
            // Messages that the next hop has are waited for: that may take minutes.
            for _ in 0..<3_600 {
                guard PidFile.isHeld(paths.pidFile) else { return }
                usleep(100_000)
            }
            throw ScanClientError(.unavailable, "the daemon (process \(PidFile.content(paths.pidFile))) has not ended")
        }
    }

    /// Runs the update tool in place of this process.
    func update(_ arguments: Arguments) -> Never {
        let own = Files.parent(of: Files.linkTarget("/proc/self/exe") ?? "/")
        let tool = ["\(own)/esets_update", "\(paths.sbinDirectory)/esets_update"].first(where: Files.exists)
        guard let tool else { program.fail("esets_update is not installed") }
        var argv: [UnsafeMutablePointer<CChar>?] = [strdup("esets_update")]
        if let file = arguments.configurationFile { argv.append(strdup("--cfg=\(file)")) }
        if let root = arguments.root { argv.append(strdup("--root=\(root)")) }
        argv.append(nil)
        execv(tool, &argv)
        program.fail("\(tool): \(SystemError.text(of: errno))")
    }

    private func run(_ command: () throws(ScanClientError) -> Void) -> Never {
        do throws(ScanClientError) {
            try command()
            exit(ExitCode.success)
        } catch {
            program.fail(error.message)
        }
    }

    /// One line stays one line.
    private func printable(_ text: String) -> String {
        String(decoding: text.utf8.map { $0 < 0x20 || $0 == 0x7F ? UInt8(ascii: " ") : $0 }, as: UTF8.self)
    }
}
