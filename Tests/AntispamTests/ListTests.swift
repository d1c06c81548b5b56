import BytesE
import Testing
import TokensE

@testable import Antispam

private func address(_ text: String) -> NetworkAddress? { Array(text.utf8).withView { NetworkAddress($0) } }
private func list(_ text: String) -> AddressList { Array(text.utf8).withView { AddressList($0) } }

@Suite struct ListTests {
    @Test func addresses() {
        #expect(address("192.0.2.1")?.low == 0xffff_c000_0201)
        #expect(address("[IPv6:2001:db8::1]") == address("2001:0db8:0:0:0:0:0:1"))
        #expect(address("::ffff:192.0.2.1") == address("192.0.2.1"))
        #expect(address("::") != nil)
        for bad in [
            "", "1.2.3", "1.2.3.256", "1.2.3.4.5", "1::2::3", "12345::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "g::",
            "1.2.3.x", ":",
        ] {
            #expect(address(bad) == nil, "\(bad)")
        }
        #expect(address("192.0.2.99")?.reversedName == Array("99.2.0.192".utf8))
        #expect(
            address("2001:db8::1")?.reversedName
                == Array("1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2".utf8))
        #expect(address("10.1.2.3")?.isLocal == true)
        #expect(address("100.64.0.1")?.isLocal == true)
        #expect(address("fe80::1")?.isLocal == true)
        #expect(address("fd00::1")?.isLocal == true)
        #expect(address("8.8.8.8")?.isLocal == false)
    }

    @Test(arguments: [
        ("1.2.3.4", "1.2.3.4", "1.2.3.5"), ("1.2.3.4/8", "1.255.0.1", "2.0.0.0"),
        ("10.0.0.0/255.255.0.0", "10.0.9.9", "10.1.0.0"), ("1.2.3.4-1.2.3.8", "1.2.3.8", "1.2.3.9"),
        ("1.2.3.4-.1.2.3.8", "1.2.3.6", "1.2.3.3"), ("9.9.9.9:1.2.3.4", "1.2.3.4", "9.9.9.8"),
        ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::1"), ("[2001:db8::1]:1.2.3.4", "1.2.3.4", "2001:db8::2"),
        ("1.2.3.4:2001:db8::1", "2001:db8::1", "1.2.3.5"), ("0.0.0.0/0", "255.1.1.1", "2001:db8::1"),
    ])
    func lists(text: String, inside: String, outside: String) throws {
        #expect(list(text).contains(try #require(address(inside))))
        #expect(!list(text).contains(try #require(address(outside))))
        #expect(list(text).malformed == 0)
    }

    @Test func malformedEntriesAreCounted() {
        #expect(list("1.2.3.4/33, x, 5.6.7.8-1.1.1.1, 10.0.0.0/255.0.255.0").malformed == 4)
    }

    @Test func domains() {
        let domains = Array("example.com:.org, @Test.NET".utf8).withView { DomainList($0) }
        func has(_ host: String) -> Bool { domains.contains(Array(host.utf8)) }
        #expect(has("example.com") && has("mail.example.com") && has("x.org") && has("test.net"))
        #expect(!has("notexample.com") && !has("org") && !has("") && !has("example.com.de"))
    }

    @Test func dnsLists() throws {
        let lists = Array("zen.spamhaus.org:127.0.0.2, bl.example.net., bad, c.example.net:127.0.0.4:70".utf8).withView
        {
            DNSList.list($0)
        }
        #expect(lists.count == 3)
        func listed(_ index: Int, _ answer: String) -> Bool {
            Array(answer.utf8).withView { lists[index].isListed($0) }
        }
        #expect(listed(0, "127.0.0.10\n127.0.0.2"))
        #expect(!listed(0, "127.0.0.20"))
        #expect(listed(1, "127.0.0.9"))
        // A refused resolver and an invented answer are no listings.
        #expect(!listed(1, "127.255.255.254"))
        #expect(!listed(1, "203.0.113.7"))
        #expect(lists[1].points == DNSList.defaultPoints)
        #expect(lists[2].points == 70)
        #expect(lists[0].question(Array("1.2.0.192".utf8)) == Array("1.2.0.192.zen.spamhaus.org".utf8))
    }
}
