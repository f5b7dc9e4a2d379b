package report

var (
	firstOrder  = []string{"sgdm", "adam"}
	secondOrder = []string{"shampoo", "kfac"}
	baselines   = []string{"sgdm", "adam", "shampoo", "kfac"}
)

// paperClaims are the claims of Sections 6.1 and 6.2 about Figures 3 and 4. The paper
// gives no number for "comparable" and "competitive"; here they mean a loss that is at
// most the larger one of the losses of Shampoo and KFAC.
var paperClaims = []claim{
	{where: "§6.1", experiments: []string{"fig4-illcond"},
		text: "Shampoo and KFAC converge faster than SGDm and Adam (final loss)",
		check: func(s *section, _ *series) (verdict, string) {
			worst := 0.0
			for _, name := range secondOrder {
				r := s.find(name)
				if r == nil {
					return notRun, name + " was not run"
				}
				worst = max(worst, r.final().median)
			}
			return s.compare(worst, firstOrder, func(r *series) float64 { return r.final().median }, "the larger one of Shampoo's and KFAC's")
		}},
	{where: "§6.1", experiments: []string{"fig4-illcond"}, about: structured,
		text: "APO-Precond is comparable to second-order optimizers", check: comparable},
	{where: "§6.1", experiments: []string{"fig4-illcond"}, about: structured,
		text: "APO-Precond has a lower loss than KFAC", check: atMost("kfac")},
	{where: "§6.1", experiments: []string{"fig3"}, about: structured,
		text: "APO-Precond's convergence is competitive with second-order optimizers (loss at half of the steps)",
		check: func(s *section, r *series) (verdict, string) {
			of, what := s.halfway()
			return s.competitive(of(r), secondOrder, of, what)
		}},
	{where: "§6.1", experiments: []string{"fig3"}, about: structured,
		text: "APO-Precond reaches a lower training loss than all baselines", check: atMost(baselines...)},
	{where: "§6.1", experiments: []string{"fig4-autoencoder"}, about: structured,
		text: "APO-Precond converges faster than first-order methods (loss at half of the steps)",
		check: func(s *section, r *series) (verdict, string) {
			of, what := s.halfway()
			return s.compare(of(r), firstOrder, of, what)
		}},
	{where: "§6.1", experiments: []string{"fig4-autoencoder"}, about: structured,
		text: "APO-Precond's training loss is competitive with other second-order methods", check: comparable},
	{where: "§6.1", experiments: []string{"fig4-autoencoder"}, about: structured,
		text: "KFAC ends below APO-Precond",
		check: func(s *section, r *series) (verdict, string) {
			v, detail := atMost("kfac")(s, r)
			switch v {
			case holds:
				v = fails
			case fails:
				v = holds
			}
			return v, detail
		}},
	{where: "§6.2", experiments: []string{"fig4-mnist-lr"}, about: adapted,
		text: "APO gives a substantially lower loss than the best fixed rate (half of it or less)",
		check: func(s *section, r *series) (verdict, string) {
			return s.compare(r.final().median, []string{r.method.Base}, func(o *series) float64 { return o.final().median / 2 },
				"final training loss, median; half of the fixed rate's:")
		}},
	{where: "§6.2", experiments: []string{"fig4-mnist-lr"}, about: adapted,
		text: "APO improves the convergence speed (loss at half of the steps)",
		check: func(s *section, r *series) (verdict, string) {
			of, what := s.halfway()
			return s.compare(of(r), []string{r.method.Base}, of, what)
		}},
}

// adapted selects the methods that adapt a learning rate.
func adapted(_ *section, r *series) bool { return r.method.Base != "" }

func comparable(s *section, r *series) (verdict, string) {
	return s.competitive(r.final().median, secondOrder, func(o *series) float64 { return o.final().median }, "final training loss, median")
}
