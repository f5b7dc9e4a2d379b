package text

import "strings"

// kind is where a full stop stays behind a word.
type kind int

const (
	never        kind = iota
	always            // it is an abbreviation
	beforeNumber      // it is one where a number follows
)

// abbreviations are the words, by language, behind which a full stop stays.
var abbreviations = map[string]map[string]kind{
	"en": kinds("No Nos Art Nr pp",
		"Mr Mrs Ms Dr Prof Rev Hon Gov Sen Rep Gen Col Maj Capt Lt Sgt Cpl Adm St Ave Blvd Rd Mt Ft Jr Sr "+
			"Inc Ltd Co Corp Bros Univ Dept vs etc approx Jan Feb Mar Apr Jun Jul Aug Sep Sept Oct Nov Dec"),
	"de": kinds("",
		"Nr Art Bd Kap Abb Abs S Dr Prof Hr Fr Frl Hrn St Str Ing Dipl Mag Mio Mrd Jh Std Min Sek Tel "+
			"bzw ca usw etc evtl ggf inkl exkl max min sog vgl Vgl zzgl bspw gegr geb gest Jan Feb Mrz Apr Jun Jul Aug Sep Sept Okt Nov Dez"),
}

func kinds(beforeNumbers, others string) map[string]kind {
	all := map[string]kind{}
	for word := range strings.FieldsSeq(others) {
		all[word] = always
	}
	for word := range strings.FieldsSeq(beforeNumbers) {
		all[word] = beforeNumber
	}
	return all
}
