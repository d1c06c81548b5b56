import BytesE
import ModuleKit
import Unpacking

/// Expands LHA's method 1: literals and copies from a window of 4 KiB, with a Huffman code that is renewed with each symbol,
/// and a fixed one for the upper part of distances.
struct GrowingHuffman {
    /// 256 literals, and lengths from 3 to 60.
    private static let symbols = 314
    private static let nodes = 2 * symbols - 1
    private static let root = nodes - 1
    private static let greatest: UInt32 = 0x8000

    private var bits: BitReader
    private let distances: PrefixCode
    /// How often each node was taken; in ascending order.
    private var counts = [UInt32](repeating: 0, count: Self.nodes)
    /// The first of the two nodes below each; for a leaf its symbol and the number of nodes.
    private var children = [Int](repeating: 0, count: Self.nodes)
    /// The node above each, and above the leaf of each symbol.
    private var parents = [Int](repeating: 0, count: Self.nodes + Self.symbols)

    init(_ packed: ByteView) {
        bits = BitReader(packed.buffer)
        var lengths: [UInt8] = []
        for (length, count) in [(3, 1), (4, 3), (5, 8), (6, 12), (7, 24), (8, 16)] as [(UInt8, Int)] {
            lengths += [UInt8](repeating: length, count: count)
        }
        distances = PrefixCode(lengths)
        for symbol in 0..<Self.symbols {
            counts[symbol] = 1
            children[symbol] = symbol + Self.nodes
            parents[symbol + Self.nodes] = symbol
        }
        for (pair, node) in (Self.symbols..<Self.nodes).enumerated() { join(2 * pair, under: node) }
    }

    /// Puts two neighbours under a node.
    private mutating func join(_ first: Int, under node: Int) {
        counts[node] = counts[first] + counts[first + 1]
        children[node] = first
        parents[first] = node
        parents[first + 1] = node
    }

    /// Expands so many bytes; false when it ended early.
    mutating func run(_ size: Int, into output: inout Output) throws(ModuleError) -> Bool {
        var turns = 0
        while output.count < size {
            turns += 1
            if turns & 0xfff == 0 { try output.check() }
            let symbol = next()
            guard !bits.isPastEnd else { return false }
            if symbol < 256 {
                guard try output.append(UInt8(symbol)) else { return false }
                continue
            }
            guard let high = bits.decode(distances) else { return false }
            let distance = (high << 6 | bits.take(6)) + 1
            let count = min(symbol - 253, size - output.count)
            // Before the beginning stand spaces.
            let early = min(count, max(0, distance - output.count))
            guard try output.append(0x20, count: early),
                try output.repeatBytes(from: distance, count: count - early)
            else { return false }
        }
        return true
    }

    private mutating func next() -> Int {
        var node = children[Self.root]
        while node < Self.nodes { node = children[node + bits.take(1)] }
        let symbol = node - Self.nodes
        count(symbol)
        return symbol
    }

    /// Counts a symbol: its leaf and all nodes above it, each of which changes places with the last of those that were as
    /// frequent.
    private mutating func count(_ symbol: Int) {
        if counts[Self.root] == Self.greatest { halve() }
        var node = parents[symbol + Self.nodes]
        while true {
            counts[node] += 1
            let count = counts[node]
            if node < Self.root, count > counts[node + 1] {
                var other = node + 1
                while other < Self.root, count > counts[other + 1] { other += 1 }
                counts.swapAt(node, other)
                children.swapAt(node, other)
                adopt(node)
                adopt(other)
                node = other
            }
            if node == Self.root { return }
            node = parents[node]
        }
    }

    /// Tells those below a node where they are.
    private mutating func adopt(_ node: Int) {
        let child = children[node]
        parents[child] = node
        if child < Self.nodes { parents[child + 1] = node }
    }

    /// Halves all counts, and builds the tree anew.
    private mutating func halve() {
        var count = 0
        for node in 0..<Self.nodes where children[node] >= Self.nodes {
            counts[count] = (counts[node] + 1) / 2
            children[count] = children[node]
            count += 1
        }
        for (pair, end) in (Self.symbols..<Self.nodes).enumerated() {
            let sum = counts[2 * pair] + counts[2 * pair + 1]
            // Behind those that are as frequent.
            var place = end
            while place > 0, counts[place - 1] > sum {
                counts[place] = counts[place - 1]
                children[place] = children[place - 1]
                place -= 1
            }
            counts[place] = sum
            children[place] = 2 * pair
        }
        for node in 0..<Self.nodes { adopt(node) }
    }
}
