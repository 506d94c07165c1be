-- RFM as Hughes has it (Strategic Database Marketing, 1994): fifths of customers by recency, frequency, money; customers
-- who are alike in one are in the same fifth, the lowest that any of them would be in. The day that recency counts from
-- is the source's last one, so the table says the same whenever it is built.
WITH customers AS (
    SELECT
        dataset,
        currency,
        customer_id,
        min(ordered_at) AS first_ordered_at,
        max(ordered_at) AS last_ordered_at,
        count(DISTINCT CAST(ordered_at AS DATE)) AS frequency,
        sum(amount) AS lifetime_value
    FROM silver.sales
    GROUP BY dataset, currency, customer_id
),
ends AS (
    SELECT dataset, currency, CAST(max(last_ordered_at) AS DATE) AS ended_on
    FROM customers
    GROUP BY dataset, currency
),
placed AS (
    SELECT
        customers.dataset,
        customers.currency,
        customers.customer_id,
        customers.first_ordered_at,
        customers.last_ordered_at,
        datediff(ends.ended_on, CAST(customers.last_ordered_at AS DATE)) AS recency_days,
        customers.frequency,
        customers.lifetime_value,
        count(*) OVER (PARTITION BY customers.dataset, customers.currency) AS everybody,
        rank() OVER (
            PARTITION BY customers.dataset, customers.currency ORDER BY CAST(customers.last_ordered_at AS DATE)
        ) AS recency_place,
        rank() OVER (
            PARTITION BY customers.dataset, customers.currency ORDER BY customers.frequency
        ) AS frequency_place,
        rank() OVER (
            PARTITION BY customers.dataset, customers.currency ORDER BY customers.lifetime_value
        ) AS monetary_place
    FROM customers
    INNER JOIN ends ON customers.dataset = ends.dataset AND customers.currency = ends.currency
),
scored AS (
    SELECT
        dataset,
        currency,
        customer_id,
        first_ordered_at,
        last_ordered_at,
        recency_days,
        frequency,
        lifetime_value,
        1 + CAST(floor((recency_place - 1) * 5 / everybody) AS INT) AS recency_score,
        1 + CAST(floor((frequency_place - 1) * 5 / everybody) AS INT) AS frequency_score,
        1 + CAST(floor((monetary_place - 1) * 5 / everybody) AS INT) AS monetary_score
    FROM placed
)
SELECT
    dataset,
    currency,
    customer_id,
    first_ordered_at,
    last_ordered_at,
    recency_days,
    frequency,
    lifetime_value,
    CAST(round(CAST(lifetime_value AS DECIMAL(24, 3)) / frequency, 3) AS DECIMAL(28, 3)) AS average_day,
    recency_score,
    frequency_score,
    monetary_score,
    CASE
        WHEN recency_score >= 4 AND frequency_score >= 4 AND monetary_score >= 4 THEN 'champion'
        WHEN recency_score >= 3 AND frequency_score >= 4 THEN 'loyal'
        WHEN recency_score >= 4 AND frequency = 1 THEN 'new'
        WHEN recency_score <= 2 AND frequency_score >= 4 THEN 'at_risk'
        WHEN recency_score = 1 THEN 'lost'
        ELSE 'regular'
    END AS segment
FROM scored
