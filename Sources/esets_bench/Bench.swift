import Configuration
import Generations
import Glibc
import Platform
import Programs

/// The tree that is measured, and helpers for figures.
struct Bench {
    let arguments: Arguments
    let paths: Paths
    let store: GenerationStore
    let trust: Trust
    let seed: [UInt8]

    init(_ arguments: Arguments) {
        self.arguments = arguments
        paths = Paths(root: arguments.root, configurationFile: arguments.configurationFile)
        store = GenerationStore(base: paths.baseDirectory)
        do throws(GenerationError) {
            trust = try Trust(directory: paths.certificatesDirectory)
            seed = try Trust.readKey("\(paths.certificatesDirectory)/generation.key")
        } catch {
            Main.program.fail(error.description)
        }
    }

    /// Resident memory of this process in kilobytes: all, and what is not shared with files.
    static var memory: (resident: Int, anonymous: Int) {
        let text = (try? Files.text("/proc/self/status")) ?? ""
        return (kilobytes("VmRSS:", in: text), kilobytes("RssAnon:", in: text))
    }

    /// Nanoseconds of CPU time of all threads of this process.
    static var processCPU: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
    }

    /// The most memory that was resident at once, in kilobytes, mapped files included.
    static var peakMemory: Int {
        // Not what getrusage says: that begins with what the process had that started this one.
        kilobytes("VmHWM:", in: (try? Files.text("/proc/self/status")) ?? "")
    }

    /// What a text of /proc says behind a name; 0 when it does not say it.
    private static func kilobytes(_ name: String, in text: String) -> Int {
        for line in text.split(separator: "\n") where line.hasPrefix(name) {
            let fields = line.dropFirst(name.count).split { $0 == " " || $0 == "\t" }
            return fields.first.flatMap { Int($0) } ?? 0
        }
        return 0
    }

    /// Memory of this process in kilobytes: resident, and what no other process shares.
    static var rollup: (resident: Int, private: Int) {
        let text = (try? Files.text("/proc/self/smaps_rollup")) ?? ""
        return (kilobytes("Rss:", in: text), kilobytes("Private_Dirty:", in: text))
    }

    /// Nanoseconds as seconds.
    static func seconds(_ nanoseconds: UInt64) -> Double { Double(nanoseconds) / 1e9 }

    /// The value below which a share of the sorted values lies.
    static func percentile(_ sorted: [UInt64], _ share: Double) -> UInt64 {
        guard !sorted.isEmpty else { return 0 }
        return sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))]
    }

    /// Nanoseconds as milliseconds with three digits.
    static func milliseconds(_ nanoseconds: UInt64) -> String {
        let micro = nanoseconds / 1_000
        let fraction = String(micro % 1_000)
        return "\(micro / 1_000).\(String(repeating: "0", count: 3 - fraction.count))\(fraction)"
    }
}
