// The daemon's roles with the fake engine: what the tests of Supervision start as child processes.
import FakeEngine
import Glibc
import Platform
import ScanProtocol
import ScanService
import Supervision

let arguments = CommandLine.arguments.dropFirst()
func value(_ name: String) -> String? {
    arguments.first { $0.hasPrefix("--\(name)=") }.map { String($0.dropFirst(name.utf8.count + 3)) }
}

if arguments.contains("--sandbox-check") {
    exit(SandboxCheck.run())
} else if let folder = value("confinement-check") {
    exit(ConfinementCheck.run(folder: folder, readable: value("readable") ?? "", program: value("program")))
} else if let path = value("keep-object") {
    exit(KeepObject.run(path: path))
} else if value("launch") != nil, getenv("ESETS_EVENT") != nil {
    // A program that waits for an event.
    let command = arguments.drop { $0 != "--" }.dropFirst().prefix { !$0.hasPrefix("--root=") }
    var argv: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
    execv(command.first ?? "", &argv)
    exit(71)
} else if value("launch") != nil {
    // A fake agent: accepts until it is told to end.
    exit(FakeAgent.run())
} else if value("canary") != nil || arguments.contains("--scanner") {
    signal(SIGTERM, SIG_IGN)
    let control = Descriptor(owning: ManagerProgram.controlDescriptor)
    let base = value("root") ?? ""
    // A generation whose directory holds the file "broken" cannot be loaded, one with "crashing" kills what scans.
    let engine = FakeEngine(directory: base + "/var/opt/eset/esets/lib/generations")
    if let number = value("canary").flatMap(UInt64.init) {
        let samples = (0..<(value("samples").flatMap(Int32.init) ?? 0)).map {
            Descriptor(owning: ManagerProgram.firstSample + $0)
        }
        let reference = value("reference").flatMap(UInt64.init).map {
            Canary.Reference(generation: $0, percent: value("slowdown").flatMap(UInt64.init) ?? 400)
        }
        exit(
            Canary.run(control: control, engine: engine, generation: number, samples: samples, reference: reference))
    }
    var settings = ScanServerSettings()
    settings.threads = value("threads").flatMap(Int.init) ?? 2
    settings.isIsolated = arguments.contains("--alone")
    do {
        try ScanServer(control: control, engine: engine, settings: settings).run()
        exit(0)
    } catch {
        exit(1)
    }
}
exit(64)
