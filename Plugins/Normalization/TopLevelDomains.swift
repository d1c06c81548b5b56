import BytesE

/// Domains of the highest level, as far as links with a protected name in them use them.
enum TopLevelDomains {
    /// Whether a label is the code of a country, in small letters.
    static func isCountry(_ label: ByteView) -> Bool { label.count == 2 && has(label, countries) }

    /// Whether a label is a domain of the highest level.
    static func contains(_ label: ByteView) -> Bool {
        isCountry(label) || (label.count > 2 && label.count < 20 && has(label, others))
    }

    /// Each label in the list is followed by a space.
    private static func has(_ label: ByteView, _ list: StaticString) -> Bool {
        let list = ByteView(list)
        var from = 0
        while let found = list.firstIndex(of: label, from: from) {
            if found == 0 || list[found - 1] == 0x20,
                list.slice(found + label.count, found + label.count + 1).equals(space)
            {
                return true
            }
            from = found + 1
        }
        return false
    }

    private static var space: ByteView { ByteView(" ") }

    /// ISO 3166 and those that are kept.
    private static let countries: StaticString = """
        ac ad ae af ag ai al am an ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bl bm bn bo br bs bt bv bw \
        by bz ca cc cd cf cg ch ci ck cl cm cn co cr cu cv cx cy cz de dj dk dm do dz ec ee eg eh er es et eu fi fj \
        fk fm fo fr ga gb gd ge gf gg gh gi gl gm gn gp gq gr gs gt gu gw gy hk hm hn hr ht hu id ie il im in io iq \
        ir is it je jm jo jp ke kg kh ki km kn kp kr kw ky kz la lb lc li lk lr ls lt lu lv ly ma mc md me mf mg mh \
        mk ml mm mn mo mp mq mr ms mt mu mv mw mx my mz na nc ne nf ng ni nl no np nr nu nz om pa pe pf pg ph pk pl \
        pm pn pr ps pt pw py qa re ro rs ru rw sa sb sc sd se sg sh si sj sk sl sm sn so sr st su sv sy sz tc td tf \
        tg th tj tk tl tm tn to tp tr tt tv tw tz ua ug uk um us uy uz va vc ve vg vi vn vu wf ws ye yt yu za zm zw 
        """

    private static let others: StaticString = """
        aero arpa asia biz cat com coop edu gov info int jobs mil mobi museum name net org pro tel travel \
        xn--0zwm56d xn--11b5bs3a9aj6g xn--80akhbyknj4f xn--9t4b11yi5a xn--deba0ad xn--g6w251d xn--hgbk6aj7f53bba \
        xn--hlcj6aya9esc7a xn--jxalpdlp xn--kgbechtv xn--zckzah 
        """
}
