package import ScanProtocol

/// The limits of one scan. Met ones end in "not scanned: limit …", never in a hang.
package struct ScanLimits: Sendable, Equatable {
    /// Levels below the root.
    package var depth: UInt32 = 20
    /// Child objects.
    package var objects: UInt32 = 10_000
    /// Bytes of one object.
    package var objectSize: UInt64 = .max
    /// Bytes of all child objects together.
    package var totalSize: UInt64 = 1 << 30
    /// All child objects together, per byte of the root.
    package var ratio: UInt64 = 2_500
    /// Bytes of the arena: seven eighths of what a scan may use. The rest is for what decoders and modules take besides.
    package var memory: UInt64 = 224 << 20
    /// Nanoseconds of work, without suspension; nil = unlimited.
    package var time: UInt64?

    /// So much is unpacked whatever the ratio is: small messages may hold files that pack very well.
    package static let ratioFloor: UInt64 = 16 << 20

    package init() {}

    /// Limits by the options of esets.cfg; 0 means unlimited where the guide has it so.
    package init(_ options: ScanOptions) {
        func positive(_ name: String) -> UInt64? {
            options.numbers[name].flatMap { $0 > 0 ? UInt64($0) : nil }
        }
        if let value = positive("av_scan_max_arch_level") { depth = UInt32(clamping: value) }
        if let value = positive("av_scan_max_objects") { objects = UInt32(clamping: value) }
        if let value = positive("av_scan_max_obj_size") { objectSize = value }
        if let value = positive("av_scan_max_total_size") { totalSize = value }
        if let value = positive("av_scan_max_ratio") { ratio = value }
        if let value = positive("av_scan_max_memory") { memory = value - value / 8 }
        time = positive("av_scan_timeout").map {
            let (value, overflow) = $0.multipliedReportingOverflow(by: 1_000_000_000)
            return overflow ? .max : value
        }
    }
}
