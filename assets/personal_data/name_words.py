"""Names that are words too: what they mean alone is told by where they stand."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Titles, particles, pronouns, degrees, and what a mailbox or a company is called: never a name.
NEVER_NAMES = _words("""
    account accounts admin agent alerts and association bank billing bot bv care center centre chat
    club co com community company consulting corp corporation customer customers daemon deleted
    department desk digest dr email events foundation from gmbh group guest hello help helpdesk hr
    inc info information insurance international invitations invoice invoices jobs linkedin
    limited llc ltd mail mailer mailing manager marketing mba md media member membership mr mrs ms
    msc news newsletter no noreply notification notifications office official online order orders
    owner partner partners phd plc press prof professor recruiter recruiting recruitment reply
    sales security service services shop software solutions staff store subject support team
    technologies technology the training unknown update updates user users via webmaster you
    der die den des del della las los les mac mrs san ten ter van von zum zur
    bin ibn she her hers him his they them their
    frau herr madame mademoiselle monsieur senor senora
""")
# Months and seasons: names only where somebody is addressed by them.
ONLY_ADDRESSED = _words("april august autumn january june mai may mayo march spring summer winter")
# Capitalised where a sentence begins, names elsewhere.
WORDS = _words("""
    able amber angel archer art ash baker ball banks barber bell berry best bill bishop black bliss
    bond book booker booth bounty brand bridge bridges brook brooks brown bruno buck burns bush
    butcher butler camp candy cannon carol case cash castle chance chase child chip christian
    church clay clean cliff coffee coin cook cooper cotton craft crane cross crow crystal curry
    daisy dale dash dawn day days dean destiny diamond dick dom drew duke dusty early earl earnest
    east eden ember english ernest ever fair faith farmer field fields fine fisher flint flower
    ford forest foster fox francis frank free freeman french frost fuller gale gardener garland
    gates gay gene gift ginger glass glen gold golden good grace grand grant gray green grey guy
    hale hall hand hands hardy harmony harper harry hazel head heart heath heather heaven high hill
    holiday holly home honey hope hours house hunt hunter hurt iris ivy jack jade jasmine jay jean
    jewel job joy judge justice kay key keys kind king knight lace lake lamb lance lane large law
    lee legend lily little lock long love low loyal lucky major mark marks marsh mason mat max
    meadow melody mercy merit merry miles mill miller mills minor misty moody moon more mountain
    nail nick night noble norm north ocean olive only page paris park parker parks pat patience
    peace pearl penny pepper piece pierce pike pink piper pitt poll pollard pool poppy porter post
    potter power powers precious price pride prince prior quick quinn rain ray reading red reed
    rice rich ring river rivers rob robin rock rocky rod rose rosemary rowan royal ruby rush rusty
    sadler sage sailor salt sandy savage sawyer sharp shepherd short silver singer sky small
    smart snow song south stamp star steel sterling stern still stone storm story stout street
    strong sue summers sun sunny swan sweet swift tanner taylor temple terry toll tony trace
    trinity trip true tucker turner victor vine violet wade wait walker wall walls ward warm warner
    waters way weaver welcome well wells west whistler white wild will willow wills wing winner
    wise wish wolf wood woods work worth wright yard york young
    alt braun ernst frei groß gross grun jung klein kurz lang lange neu schnell schwarz stark weiss
    blanc petit rouge sol paz luz cruz rosa
""")
