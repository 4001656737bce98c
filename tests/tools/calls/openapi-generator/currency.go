// Calls the currency example with the client that openapi-generator made of it for Go.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"strings"

	"example.org/gateway"
)

const day = "2024-02-29"

func main() {
	configuration := gateway.NewConfiguration()
	configuration.Servers = gateway.ServerConfigurations{{URL: os.Args[1]}}
	currency := gateway.NewAPIClient(configuration).CurrencyAPI
	// The example's key.
	keys := map[string]gateway.APIKey{"api_key": {Key: "gk_demo_let-me-try-it-please"}}
	ctx := context.WithValue(context.Background(), gateway.ContextAPIKeys, keys)

	symbols := []gateway.Symbol{gateway.SYMBOL_USD, gateway.SYMBOL_JPY}
	rates, _, err := currency.CurrencyRates(ctx).Symbols(symbols).Date(day).Execute()
	must(err == nil, err)
	must(rates.Base == gateway.SYMBOL_EUR && rates.Date == day, rates)
	must(rates.Rates.GetUSD() == "1.0826" && rates.Rates.GetJPY() == "162.53" && !rates.Rates.HasGBP(), rates)

	converted, _, err := currency.CurrencyConvert(ctx).From(gateway.SYMBOL_EUR).To(gateway.SYMBOL_USD).Amount("200.00").Date(day).Execute()
	must(err == nil, err)
	must(converted.Rate == "1.0826" && converted.Result == "216.52", converted)

	history, err := currency.CurrencyHistory(ctx).Symbol(gateway.SYMBOL_USD).From(day).Execute()
	must(err == nil, err)
	line, err := bufio.NewReader(history.Body).ReadString('\n')
	must(err == nil, err)
	var first gateway.DayRate
	err = json.Unmarshal([]byte(strings.TrimPrefix(line, "data: ")), &first)
	must(err == nil && first.Date == day && first.Rate == "1.0826", line)

	_, _, err = currency.CurrencyConvert(ctx).From(gateway.SYMBOL_EUR).To(gateway.SYMBOL_USD).Amount("a lot").Execute()
	var refusal *gateway.GenericOpenAPIError
	must(errors.As(err, &refusal), err)
	problem, is_problem := refusal.Model().(gateway.Problem)
	must(is_problem && problem.Code == "invalid-request", refusal)
	must(len(problem.Errors) == 1 && problem.Errors[0].Pointer == "/amount", problem)

	fmt.Println("Go: rates, convert and history answered; a refusal came as a problem")
}

func must(holds bool, found any) {
	if !holds {
		log.Panicf("%+v", found)
	}
}
