import EventLoop
import Glibc
import Programs

/// Shows the system at work: an SMTP sink behind esets_smtp, and a sender before it. For tools/quickstart.
@main
struct Main {
    static let program = Program(
        "esets_demo", "Sends messages through esets_smtp to a sink of its own and tells what happened to each.",
        usage: "[OPTIONS..]",
        options: [
            ProgramOption("smtp", .value("PORT"), help: "port of esets_smtp on 127.0.0.1"),
            ProgramOption("sink", .value("PORT"), help: "port of the sink, the next hop of esets_smtp"),
            ProgramOption(
                "until-blocked", .value("SECONDS"),
                help: "send one message again and again until it is blocked, instead of the three examples"),
            ProgramOption("text", .value("TEXT"), help: "the text of that message"),
        ])

    static func main() {
        let arguments = program.arguments()
        do throws(UsageError) {
            guard let smtp = try arguments.number("smtp", in: 1...65_535),
                let sink = try arguments.number("sink", in: 1...65_535)
            else { throw UsageError("--smtp and --sink are needed") }
            let seconds = try arguments.number("until-blocked", in: 1...3_600)
            let demo = Demo(smtp: UInt16(smtp), sink: UInt16(sink))
            let text = arguments.value("text") ?? "The quick brown fox."
            let good = demo.run { sink in
                if let seconds {
                    await demo.sendUntilBlocked(text, seconds: seconds, sink)
                } else {
                    await demo.sendExamples(sink)
                }
            }
            exit(good ? ExitCode.success : ExitCode.failure)
        } catch {
            program.fail(usage: error)
        }
    }
}
