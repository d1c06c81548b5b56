package import Platform

/// Descriptors that came over a Unix socket, and where in the input.
struct ReceivedDescriptors {
    /// Those of one message of the peer.
    struct Batch {
        /// Bytes of the connection's input, counted from 0, among which it came.
        let place: Range<UInt64>
        let descriptors: [Descriptor]
        /// There were more than could be taken.
        let isTruncated: Bool
    }

    /// Bytes of input so far.
    var position: UInt64 = 0
    var batches: [Batch] = []
    /// Batches that may wait; nobody sends more without asking for something.
    static let most = 16
}

extension Stream {
    /// Takes the descriptors that came with the input bytes from `low` to `high`, both included, counted from the
    /// beginning of the connection. Those of earlier bytes are closed. Needs `takesDescriptors`.
    ///
    /// - Returns: nil when none came, or more in one message than can be taken (8).
    package func takeDescriptors(between low: UInt64, and high: UInt64) -> [Descriptor]? {
        reactor.preconditionOnLoop()
        received.batches.removeAll { $0.place.upperBound <= low }
        guard let first = received.batches.first, first.place.lowerBound <= high else { return nil }
        received.batches.removeFirst()
        return first.isTruncated ? nil : first.descriptors
    }
}
