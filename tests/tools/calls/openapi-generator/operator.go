// Calls the operator's API of a gateway with the client that openapi-generator made of it for Go.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"math"
	"os"
	"strings"
	"time"

	"example.org/gateway"
)

func main() {
	configuration := gateway.NewConfiguration()
	configuration.Servers = gateway.ServerConfigurations{{URL: os.Args[1]}}
	admin := gateway.NewAPIClient(configuration).AdminAPI
	ctx := context.WithValue(context.Background(), gateway.ContextAccessToken, os.Args[2])
	id := fmt.Sprintf("go/%d", time.Now().UnixNano())
	since := time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC)

	opened, _, err := admin.PostAdminAccounts(ctx).AccountCreate(*gateway.NewAccountCreate(id)).IdempotencyKey(id).Execute()
	must(err == nil, err)
	must(opened.Id == id && opened.Plan == "standard" && len(opened.Balances) == 0, opened)
	order := gateway.NewCreditCreate("25", gateway.CURRENCY_USD, "invoice 1")
	for _, repeated := range []bool{false, true} {
		credit, _, err := admin.PostAdminAccountsIdCredits(ctx, id).CreditCreate(*order).Execute()
		must(err == nil && credit.Repeated == repeated, credit)
	}
	found, _, err := admin.GetAdminAccountsId(ctx, id).Execute()
	must(err == nil, err)
	must(len(found.Balances) == 1 && found.Balances[0] == *gateway.NewBalanceView("USD", "25", "0"), found)
	entries, _, err := admin.GetAdminAccountsIdEntries(ctx, id).Limit(1).Execute()
	must(err == nil, err)
	must(entries.Items[0].Kind == "credit" && entries.Items[0].Amount == "25" && entries.Next.Get() == nil, entries)

	key, _, err := admin.PostAdminAccountsIdKeys(ctx, id).NewKey(gateway.NewKey{Scopes: []string{"a", "b"}}).Execute()
	must(err == nil, err)
	must(strings.HasPrefix(key.Key, "gk_") && len(key.Scopes) == 2 && key.Expires.Get() == nil, key)
	_, err = admin.DeleteAdminAccountsIdKeysKeyId(ctx, id, key.Id).Execute()
	must(err == nil, err)

	requests, _, err := admin.GetAdminRequests(ctx).Account("demo").Fulfilled(true).Since(since).Limit(2).Execute()
	must(err == nil, err)
	must(len(requests.Items) > 0 && requests.Items[0].Status < 300 && requests.Items[0].At.After(since), requests)
	whole, _, err := admin.GetAdminRequestsId(ctx, requests.Items[0].Id).Execute()
	must(err == nil && whole.RequestId == requests.Items[0].RequestId, whole)

	// A value of several types.
	rate, total, concurrency := "5/s", "100000/min", int64(math.MaxInt64)
	settings := gateway.NewQuotaSettings()
	settings.SetEnabled(false)
	settings.SetTotal(gateway.StringAsLimitSettings(&total))
	of_currency := gateway.LimitSettingsOneOf{Rate: &rate, Concurrency: &concurrency}
	settings.SetServices(map[string]gateway.LimitSettings{"currency": gateway.LimitSettingsOneOfAsLimitSettings(&of_currency)})
	_, _, err = admin.PutAdminLimits(ctx).QuotaSettings(*settings).Execute()
	must(err == nil, err)
	limits, _, err := admin.GetAdminLimits(ctx).Execute()
	must(err == nil, err)
	must(limits.Limits.Total.LimitSettingsOneOf.GetRate() == total, limits)
	kept := limits.Limits.Services["currency"].LimitSettingsOneOf
	must(kept.GetRate() == rate && kept.GetConcurrency() == concurrency, kept)

	release := gateway.HoldResolutionOneOf1AsHoldResolution(gateway.NewHoldResolutionOneOf1(true))
	_, _, err = admin.PostAdminHoldsCallSettle(ctx, "0").HoldResolution(release).Execute()
	must(refusal(err).Code == "not-found", err)
	stranger := context.WithValue(ctx, gateway.ContextAccessToken, "another")
	_, _, err = admin.GetAdminProviders(stranger).Execute()
	must(refusal(err).Code == "unauthenticated", err)

	fmt.Println("Go: accounts, credits, keys, requests, limits and holds answered; refusals came as problems")
}

// The problem that a call is refused with.
func refusal(err error) gateway.Problem {
	var refusal *gateway.GenericOpenAPIError
	must(errors.As(err, &refusal), err)
	problem, is_problem := refusal.Model().(gateway.Problem)
	must(is_problem, refusal)
	return problem
}

func must(holds bool, found any) {
	if !holds {
		log.Panicf("%+v", found)
	}
}
