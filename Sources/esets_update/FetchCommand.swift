import Glibc
import JSON
import Platform
import Programs
import Updates
import Upstreams

/// The fetching process: gives up everything it does not need, then fetches what its standard input says.
struct FetchCommand {
    /// A large database, its old version and a delta at once.
    private static let memory: UInt64 = 8 << 30
    private static let planLimit = 64 << 20

    private let arguments: Arguments

    init(_ arguments: Arguments) {
        self.arguments = arguments
    }

    func run() {
        giveUpPowers()
        guard let bytes = try? Descriptor(owning: dup(STDIN_FILENO)).readToEnd(limit: Self.planLimit),
            let json = try? JSONValue(parsing: bytes, limits: .init(size: Self.planLimit)),
            let plan = FetchPlan(json)
        else { Main.program.fail(usage: UsageError("--fetch is for esets_update itself")) }
        // What the plan names was named by root; what comes from here on was not.
        let missing = plan.confinement.enter()
        var lastTold: UInt64 = 0
        let run = FetchRun(plan) { event in
            // A terminal shows no more than this.
            let now = Clock.now
            guard now &- lastTold >= 100_000_000 else { return }
            lastTold = now
            Self.tell(event)
        }
        var report = run.run()
        for index in report.upstreams.indices { report.upstreams[index].notes += missing }
        Self.tell(.report(report))
    }

    private func giveUpPowers() {
        do throws(SystemError) {
            if geteuid() == 0, let name = arguments.value("as"), let user = UserAccount(named: name) {
                try user.become()
            }
            try Privileges.gainNoMore()
            try Privileges.hide()
            try Privileges.endWithParent()
            try Privileges.limit(
                processorSeconds: 7_200, seconds: 6 * 3_600, memory: Self.memory, fileSize: Self.memory)
        } catch {
            Main.program.fail(error.description, code: ExitCode.system)
        }
    }

    private static func tell(_ event: FetchEvent) { Console.write(event.line) }
}
