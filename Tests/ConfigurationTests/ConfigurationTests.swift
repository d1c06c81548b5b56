import Testing

@testable import Configuration

@Suite struct DefaultsTests {
    @Test func everyDefaultIsAValidValue() {
        for parameter in ParameterTable.all {
            #expect(Values.problem(parameter.defaultValue, parameter.kind) == nil, "\(parameter.name)")
            #expect(!parameter.meaning.isEmpty)
        }
    }
}
