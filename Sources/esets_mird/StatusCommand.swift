import Configuration
import Glibc
import JSON
import Mirror
import Programs
import ScanClient
import ScanProtocol

/// Shows what the mirror did, as far as it has told the manager (each 10 seconds), and what lies in its directory.
enum StatusCommand {
    static func run(_ program: Program, _ arguments: Arguments) -> Never {
        let paths = Paths(root: arguments.root, configurationFile: arguments.configurationFile)
        // Whoever may not read the configuration still finds daemon and mirror at the usual places.
        let configuration = (try? Configuration.load(paths: paths)) ?? Configuration.builtIn(paths: paths)
        var counters: [String: UInt64] = [:]
        do throws(ScanClientError) {
            let connection = ScanConnection(path: configuration.daemonSocket, agent: "mird", patience: .zero)
            let prefix = "mird."
            for line in try connection.status() where line.name.hasPrefix(prefix) {
                counters[String(line.name.dropFirst(prefix.count))] = UInt64(line.value)
            }
        } catch {
            program.fail(error.message)
        }
        let text = StatisticsText(
            counters: counters, facts: MirrorFacts.read(configuration.global.text("av_mirror_dir")))
        if arguments.has("json") {
            Console.print(text.json.text(.pretty))
        } else {
            Console.write(arguments.has("prometheus") ? text.prometheus : text.plain)
        }
        exit(ExitCode.success)
    }
}
