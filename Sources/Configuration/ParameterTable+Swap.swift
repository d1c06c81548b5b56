// When a new generation is refused, and when it is left again.

extension ParameterTable {
    static let swap: [Parameter] = [
        .init(
            "av_update_max_slowdown", .global, .integer(0...100_000, .count), "400", .update,
            "Percent of the time of the generation in use that a new one may take to scan the test objects; if it takes "
                + "more, it is refused. 0 means any time."),
        .init(
            "av_update_watch", .global, .integer(0...86_400, .seconds), "900", .update,
            "Seconds after a swap of generations in which crashes, or too many objects that are not scanned, bring back "
                + "the one before; 0 watches nothing."),
        .init(
            "av_update_max_notscanned", .global, .integer(0...100, .count), "10", .update,
            "How many more objects in a hundred than before may be \"not scanned\" in that time; if there are more, both "
                + "generations scan side by side for a while, and the better one stays. 0 does not look at it."),
    ]
}
