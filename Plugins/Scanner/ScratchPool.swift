import CSlots
import Matching

/// Working memory that scans leave to later ones: for a short message, making it would take longer than matching.
final class ScratchPool: @unchecked Sendable {
    // @unchecked: places are exchanged atomically, and whoever takes what is in one has it alone.
    private static let capacity = 16
    private let places: UnsafeMutablePointer<UnsafeMutableRawPointer?>

    init() {
        places = .allocate(capacity: Self.capacity)
        places.initialize(repeating: nil, count: Self.capacity)
    }

    deinit {
        for index in 0..<Self.capacity { _ = take(index) }
        places.deallocate()
    }

    /// What a scan left, or a new one.
    func take() -> Scratch {
        for index in 0..<Self.capacity { if let scratch = take(index) { return scratch } }
        return Scratch()
    }

    /// Keeps it for the next scan, if it is small and there is a free place.
    func give(_ scratch: Scratch) {
        guard !scratch.isLarge else { return }
        var left: Scratch? = scratch
        for index in 0..<Self.capacity {
            guard let scratch = left else { return }
            // What was in the place goes on to the next one.
            left = exchange(index, with: scratch)
        }
    }

    private func take(_ index: Int) -> Scratch? { exchange(index, with: nil) }

    private func exchange(_ index: Int, with scratch: Scratch?) -> Scratch? {
        let value = scratch.map { Unmanaged.passRetained($0).toOpaque() }
        return CSlots_exchange(places + index, value).map { Unmanaged<Scratch>.fromOpaque($0).takeRetainedValue() }
    }
}
