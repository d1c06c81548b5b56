import BytesE

/// The components of a JPEG picture and their coefficients (T.81, B.2.2 and A.1).
struct JPEGFrame {
    /// One component. Its coefficients are 64 for each block, in their natural order.
    struct Component {
        let id: UInt8
        /// Sampling factors.
        let across, down: Int
        let quantization: Int
        /// Blocks that it has, and blocks of a row in memory, which are those of whole MCUs.
        let columns, rows: Int
        let stride: Int
        /// Rows of blocks in memory.
        var strideRows: Int { blockCount / stride }
        fileprivate let coefficients: UnsafeMutablePointer<Int16>
        fileprivate let blockCount: Int

        /// The coefficients of a block. Places outside of the picture lead to the first one.
        func block(_ column: Int, _ row: Int) -> UnsafeMutablePointer<Int16> {
            let number = row * stride + column
            return coefficients
                + (column >= 0 && column < stride && number >= 0 && number < blockCount ? 64 * number : 0)
        }
    }

    let width, height: Int
    let isProgressive: Bool
    private(set) var components: [Component] = []
    private(set) var mostAcross = 1
    private(set) var mostDown = 1
    /// MCUs of scans with several components.
    private(set) var mcuColumns = 0
    private(set) var mcuRows = 0

    init?(_ segment: ByteView, isProgressive: Bool, _ budget: ImageBudget) {
        guard segment.count >= 6, segment[0] == 8, let height = segment.loadBigEndian(UInt16.self, at: 1),
            let width = segment.loadBigEndian(UInt16.self, at: 3)
        else { return nil }
        let count = Int(segment[5])
        guard (1...4).contains(count), segment.count >= 6 + 3 * count, width > 0, height > 0,
            Int(width) * Int(height) <= ImageBudget.mostPixels
        else { return nil }
        self.width = Int(width)
        self.height = Int(height)
        self.isProgressive = isProgressive
        for number in 0..<count {
            let factors = segment[7 + 3 * number]
            guard (1...4).contains(factors >> 4), (1...4).contains(factors & 15), segment[8 + 3 * number] < 4 else {
                return nil
            }
            mostAcross = max(mostAcross, Int(factors >> 4))
            mostDown = max(mostDown, Int(factors & 15))
        }
        mcuColumns = (self.width + 8 * mostAcross - 1) / (8 * mostAcross)
        mcuRows = (self.height + 8 * mostDown - 1) / (8 * mostDown)
        for number in 0..<count {
            let (across, down) = (Int(segment[7 + 3 * number] >> 4), Int(segment[7 + 3 * number] & 15))
            // Others than halves and quarters are not in use.
            guard mostAcross % across == 0, mostDown % down == 0 else { return nil }
            let blocks = mcuColumns * across * mcuRows * down
            guard let memory = budget.allocate(128 * blocks) else { return nil }
            let samplesAcross = (self.width * across + mostAcross - 1) / mostAcross
            let samplesDown = (self.height * down + mostDown - 1) / mostDown
            components.append(
                Component(
                    id: segment[6 + 3 * number], across: across, down: down, quantization: Int(segment[8 + 3 * number]),
                    columns: (samplesAcross + 7) / 8, rows: (samplesDown + 7) / 8, stride: mcuColumns * across,
                    coefficients: memory.bindMemory(to: Int16.self, capacity: 64 * blocks), blockCount: blocks))
        }
    }

    /// The place of a coefficient, by its number on the zigzag through the block (A.3.6).
    static func natural(_ number: Int) -> Int { Int(zigzag[number & 63]) }

    private static let zigzag: [UInt8] = [
        0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14,
        21,
        28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61,
        54, 47, 55, 62, 63,
    ]
}
