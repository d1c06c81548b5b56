import CVD
import Fetching
import Glibc
import Platform
import Testing
import Updates

@testable import Upstreams

/// A staging directory, a mirror, and updates between them as esets_update makes them, without the processes.
final class Bench {
    let directory = "/tmp/esets-upstreams-\(getpid())-\(UInt64.random(in: 0 ... .max))"
    var staging: String { "\(directory)/fetch" }
    var mirror: String { "\(directory)/mirror" }
    var trusted: String { "\(directory)/trusted" }
    var state = SourceState()
    var plan: FetchPlan
    var surroundings = FetchRun.Surroundings()
    /// Seconds since 1970.
    var now: Int64 = 1_795_262_400
    private(set) var pauses: [Double] = []

    init() throws {
        plan = FetchPlan(staging: "", mirror: "")
        for path in [staging, mirror] { try Files.makeDirectory(path) }
        plan = FetchPlan(staging: staging, mirror: mirror)
        plan.timeout = 5
        surroundings.now = { [unowned self] in now }
        surroundings.pause = { [unowned self] in pauses.append($0) }
        surroundings.text = { _ in .unreachable }
    }

    deinit { try? Files.remove(directory) }

    func upstream(_ name: String, _ kind: UpstreamKind, _ servers: [FolderServer]) -> FetchPlan.Upstream {
        var upstream = FetchPlan.Upstream(name: name, kind: kind)
        upstream.servers = servers.map { .init(base: $0.base) }
        upstream.formats = kind.formats.sorted()
        upstream.folder = kind == .repository ? "" : "upstreams/\(name)"
        upstream.trusted = "\(trusted)/\(name)"
        return upstream
    }

    /// One update of one upstream: fetched, and adopted.
    @discardableResult
    func update(_ upstream: FetchPlan.Upstream, adopt: Bool = true) throws -> FetchReport.Upstream {
        var upstream = upstream
        upstream.known = state.upstreams[upstream.name]?.files ?? []
        plan.upstreams = [upstream]
        plan.rests = state.rests
        // There and back as text, as between the two processes.
        let sent = try #require(FetchPlan(plan.json))
        let run = FetchRun(sent)
        run.surroundings = surroundings
        let event = try #require(FetchEvent(line: Array(FetchEvent.report(run.run()).line.dropLast())))
        guard case .report(let report) = event else { throw SystemError("no report") }
        state.rests = report.rests
        let result = try #require(report.upstreams.first)
        if adopt {
            state.upstreams[upstream.name] = try Adoption(staging: staging, mirror: mirror, trusted: trusted).adopt(
                result, of: upstream, before: state.upstreams[upstream.name], now: now)
            try state.save("\(directory)/sources.json")
            state = try SourceState.load("\(directory)/sources.json")
        }
        return result
    }

    func content(_ path: String) -> [UInt8]? { try? Files.read("\(mirror)/\(path)") }

    var staged: [String] {
        func all(_ folder: String) -> [String] {
            ((try? Files.names(in: folder)) ?? []).flatMap { name in
                ((try? Files.names(in: "\(folder)/\(name)")) != nil) ? all("\(folder)/\(name)") : ["\(folder)/\(name)"]
            }
        }
        return all(staging)
    }
}

/// The containers and scripts that Tests/CVDTests/make-changes.py made.
enum Containers {
    static func read(_ name: String) throws -> [UInt8] {
        let here = String(#filePath.prefix(#filePath.count - "UpstreamsTests/Bench.swift".count))
        return try Files.read("\(here)CVDTests/Fixtures/changes/\(name)")
    }

    static let keys = Keys(
        container:
            "125720670985560373199085612166334232776360082153127187682111236623994209662154932196412759866860"
            + "399731460046761291040819331472512352845779567848360243508395035358523996767846598784903148243048"
            + "075374182824587949733188433316183689165382887307867812011700278327464516128591468274776827524394"
            + "513044012705990267833",
        information:
            "214979877374146325456212976732524028845917156964880837247627899574625527367956645827289582393885"
            + "029075665518158004122572366943114563386566582807451613788321476248621919623264808440878576999472"
            + "340182042537547455628006278306088619431205817201623593700628444344228893767462161248752333452349"
            + "613830858730087261356639786553756044847799517807502837515367860311247519882526260657196536179611"
            + "349669282991607454806815664553505570795533518788175988228220570239559404832467610829181300627545"
            + "900155443219945286746791493508015920841172032124761693423308643176587822260676234351211073597628"
            + "51241655612611527657480452819255665324157",
        script:
            "231546228610175401507203642117887692427187551789266901016757836307993745630802838403910101503523"
            + "336819294561168609321322223046482936310096286579817833819408234408283681170195204338415372512559"
            + "955686510008822217386046445440220835157046124916537493288080204201040149286007543402656446202606"
            + "942316940268004567286560694953114029375998054563397297905989805429602972896410170238873532127605"
            + "082394854786531529216336062415489701966319119135199281950585154485821924160950757487069318626744"
            + "382357914356485135213362129960512910302899627988833452301093060239068236338671141389412860941025"
            + "73535927347134867661325985708042192317613")
}
