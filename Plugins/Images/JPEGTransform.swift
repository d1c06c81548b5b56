/// Coefficients of a block back to samples (T.81, A.3.3).
///
/// Loeffler, Ligtenberg and Moschytz, "Practical fast 1-D DCT algorithms with 11 multiplications" (1989), in whole numbers with
/// twelve bits behind the point: the rounding is that of the decoders by which hashes of pictures are made.
enum JPEGTransform {
    /// - Parameters:
    ///   - set: gets the column, the row and the sample.
    static func samples(
        _ block: UnsafeMutablePointer<Int16>, _ quantization: [UInt16], _ table: Int, _ set: (Int, Int, UInt8) -> Void
    ) {
        withUnsafeTemporaryAllocation(of: Int.self, capacity: 64) { half in
            for column in 0..<8 {
                let values = Eight { Int(block[8 * $0 + column]) * Int(quantization[table + 8 * $0 + column]) }
                let (even, odd) = values.halves()
                for index in 0..<4 {
                    half[8 * index + column] = (even[index] + odd[index] + 512) >> 10
                    half[8 * (7 - index) + column] = (even[index] - odd[index] + 512) >> 10
                }
            }
            for row in 0..<8 {
                let values = Eight { half[8 * row + $0] }
                let (even, odd) = values.halves()
                // Half of the last bit, and samples from -128 up.
                let bias = 65_536 + 128 << 17
                for index in 0..<4 {
                    set(index, row, UInt8(max(0, min(255, (even[index] + odd[index] + bias) >> 17))))
                    set(7 - index, row, UInt8(max(0, min(255, (even[index] - odd[index] + bias) >> 17))))
                }
            }
        }
    }

    private typealias Four = InlineArray<4, Int>

    /// Eight values of a row or column.
    private struct Eight {
        private let values: InlineArray<8, Int>

        init(_ value: (Int) -> Int) {
            values = InlineArray { value($0) }
        }

        /// The sums of the even and of the odd frequencies: a sample is theirs together, the one opposite their difference.
        func halves() -> (even: Four, odd: Four) {
            let turned = (values[2] + values[6]) * 2217
            let low = turned + values[6] * -7567
            let high = turned + values[2] * 3135
            let (sum, difference) = ((values[0] + values[4]) * 4096, (values[0] - values[4]) * 4096)
            let even: Four = [sum + high, difference + low, difference - low, sum - high]

            let all = (values[7] + values[3] + values[5] + values[1]) * 4816
            let outer = all + (values[7] + values[1]) * -3685
            let inner = all + (values[5] + values[3]) * -10497
            let first = (values[7] + values[3]) * -8034
            let second = (values[5] + values[1]) * -1597
            let odd: Four = [
                values[1] * 6149 + outer + second, values[3] * 12586 + inner + first,
                values[5] * 8410 + inner + second, values[7] * 1223 + outer + first,
            ]
            return (even, odd)
        }
    }
}
