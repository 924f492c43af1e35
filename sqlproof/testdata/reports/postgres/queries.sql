-- name: monthly_revenue
SELECT date_trunc('month', o.ordered_at)::date AS month,
       count(DISTINCT o.id) AS orders,
       sum(oi.quantity * oi.unit_price_cents) AS revenue_cents
FROM orders o
JOIN order_items oi ON oi.order_id = o.id
WHERE o.status <> 'cancelled'
GROUP BY 1
ORDER BY 1;

-- name: revenue_by_country
select coalesce(co.name, 'unknown') as country, co.region,
       count(distinct c.id) as customers,
       coalesce(sum(oi.quantity*oi.unit_price_cents),0)/100.0 as revenue
from customers c
left join countries co on co.code = c.country_code
left join orders o on o.customer_id = c.id and o.status in ('paid','shipped')
left join order_items oi on oi.order_id = o.id
group by 1, 2
order by revenue desc, country

-- name: top_products_per_category
SELECT category, sku, product, units
FROM (
    SELECT cat.name AS category, p.sku, p.name AS product, sum(oi.quantity) AS units,
           row_number() OVER (PARTITION BY cat.id ORDER BY sum(oi.quantity) DESC, p.sku) AS pos
    FROM order_items oi
    JOIN products p ON p.id = oi.product_id
    JOIN categories cat ON cat.id = p.category_id
    GROUP BY cat.id, cat.name, p.sku, p.name
) ranked
WHERE pos <= 2
ORDER BY category, pos, sku;

-- name: latest_order_per_customer
SELECT DISTINCT ON (o.customer_id) o.customer_id, c.name, o.number, o.ordered_at, o.status
FROM orders o
INNER JOIN customers c ON c.id = o.customer_id
ORDER BY o.customer_id, o.ordered_at DESC, o.id DESC

-- name: last_two_orders_lateral
-- args: [2]
SELECT c.id, c.name, recent.number, recent.ordered_at
FROM customers c
LEFT JOIN LATERAL (
    SELECT o.number, o.ordered_at
    FROM orders o
    WHERE o.customer_id = c.id
    ORDER BY o.ordered_at DESC
    LIMIT $1
) recent ON true
ORDER BY c.id, recent.ordered_at DESC NULLS LAST

-- name: cross_join_lateral_stats
SELECT e.name AS rep, s.orders, s.first_order, s.last_order
FROM employees AS e
CROSS JOIN LATERAL (
    SELECT count(*) AS orders, min(o.ordered_at) AS first_order, max(o.ordered_at) AS last_order
    FROM orders o
    WHERE o.employee_id = e.id
) AS s
WHERE s.orders > 0
ORDER BY s.orders DESC, e.id

-- name: running_total_of_payments
SELECT p.id, p.paid_at, p.amount_cents,
       SUM(p.amount_cents) OVER (ORDER BY p.paid_at, p.id ROWS UNBOUNDED PRECEDING) AS running_cents
FROM payments p
WHERE p.status = 'settled'
ORDER BY p.paid_at, p.id;

-- name: moving_average_of_order_value
WITH order_value AS (
    SELECT o.id, o.ordered_at, sum(oi.quantity * oi.unit_price_cents) - o.discount_cents AS cents
    FROM orders o JOIN order_items oi ON oi.order_id = o.id
    GROUP BY o.id, o.ordered_at, o.discount_cents
)
SELECT id, cents,
       round(avg(cents) OVER w3, 2) AS avg3,
       max(cents) OVER (ORDER BY ordered_at, id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS best_before
FROM order_value
WINDOW w3 AS (ORDER BY ordered_at, id ROWS BETWEEN 2 PRECEDING AND CURRENT ROW)
ORDER BY ordered_at, id

-- name: thirty_day_window
SELECT o.number, o.ordered_at::date AS day,
       count(*) OVER (ORDER BY o.ordered_at RANGE BETWEEN INTERVAL '30 days' PRECEDING AND CURRENT ROW) AS orders_30d
FROM orders o
ORDER BY o.ordered_at, o.number

-- name: cohort_retention
WITH cohort AS (
    SELECT c.id AS customer_id, date_trunc('month', min(o.ordered_at)) AS first_month
    FROM customers c
    JOIN orders o ON o.customer_id = c.id
    GROUP BY c.id
), activity AS (
    SELECT DISTINCT customer_id, date_trunc('month', ordered_at) AS active_month
    FROM orders
)
SELECT to_char(cohort.first_month, 'YYYY-MM') AS cohort,
       (extract(year FROM age(activity.active_month, cohort.first_month)) * 12
        + extract(month FROM age(activity.active_month, cohort.first_month)))::int AS month_no,
       count(DISTINCT activity.customer_id) AS customers
FROM cohort
JOIN activity USING (customer_id)
GROUP BY 1, 2
ORDER BY 1, 2;

-- name: checkout_funnel
SELECT count(DISTINCT customer_id) FILTER (WHERE kind = 'visit')    AS visited,
       count(DISTINCT customer_id) FILTER (WHERE kind = 'cart')     AS carted,
       count(DISTINCT customer_id) FILTER (WHERE kind = 'checkout') AS checked_out,
       count(DISTINCT customer_id) FILTER (WHERE kind = 'purchase') AS purchased
FROM events
WHERE occurred_at >= '2024-01-01' AND occurred_at < '2024-07-01'

-- name: ordered_funnel
with v as (
  select customer_id, min(occurred_at) since from events where kind = 'visit' group by customer_id
), k as (
  select e.customer_id, min(e.occurred_at) since from events e join v on v.customer_id = e.customer_id and e.occurred_at > v.since
  where e.kind = 'cart' group by e.customer_id
), b as (
  select e.customer_id, min(e.occurred_at) since from events e join k on k.customer_id = e.customer_id and e.occurred_at > k.since
  where e.kind = 'purchase' group by e.customer_id
)
select 1 as step, 'visit' as label, count(*) from v
union all select 2, 'cart', count(*) from k
union all select 3, 'purchase', count(*) from b
order by step

-- name: abc_analysis
WITH sales AS (
    SELECT p.id, p.sku, SUM(oi.quantity * oi.unit_price_cents) AS cents
    FROM products p JOIN order_items oi ON oi.product_id = p.id
    GROUP BY p.id
), shares AS (
    SELECT sku, cents, SUM(cents) OVER (ORDER BY cents DESC, sku) * 1.0 / SUM(cents) OVER () AS cumulated
    FROM sales
)
SELECT sku, cents, round(cumulated, 4) AS cumulated,
       CASE WHEN cumulated <= 0.7 THEN 'A' WHEN cumulated <= 0.9 THEN 'B' ELSE 'C' END AS class
FROM shares
ORDER BY cents DESC, sku;

-- name: customer_quartiles
SELECT customer_id, spent, ntile(4) OVER (ORDER BY spent DESC, customer_id) AS quartile,
       percent_rank() OVER (ORDER BY spent) AS prank, cume_dist() OVER (ORDER BY spent) AS cd
FROM (SELECT o.customer_id, sum(p.amount_cents) AS spent
      FROM payments p, orders o
      WHERE p.order_id = o.id AND p.status = 'settled'
      GROUP BY o.customer_id) t
ORDER BY spent DESC, customer_id

-- name: median_order_value
SELECT o.currency,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY v.cents) AS median,
       percentile_cont(ARRAY[0.25, 0.75]) WITHIN GROUP (ORDER BY v.cents) AS quartiles,
       percentile_disc(0.9) WITHIN GROUP (ORDER BY v.cents) AS p90
FROM orders o
JOIN (SELECT order_id, sum(quantity * unit_price_cents) AS cents FROM order_items GROUP BY order_id) v
  ON v.order_id = o.id
GROUP BY o.currency
ORDER BY o.currency;

-- name: most_common_method
SELECT mode() WITHIN GROUP (ORDER BY method) AS method, count(*) AS payments,
       min(amount_cents) AS smallest, max(amount_cents) AS largest
FROM payments

-- name: pivot_status_by_month
SELECT to_char(ordered_at, 'YYYY-MM') AS month,
       sum(CASE WHEN status = 'new' THEN 1 ELSE 0 END) AS new,
       sum(CASE WHEN status = 'paid' THEN 1 ELSE 0 END) AS paid,
       sum(CASE WHEN status = 'shipped' THEN 1 ELSE 0 END) AS shipped,
       sum(CASE status WHEN 'cancelled' THEN 1 WHEN 'returned' THEN 1 ELSE 0 END) AS lost
FROM orders
GROUP BY to_char(ordered_at, 'YYYY-MM')
ORDER BY month

-- name: settled_ratio_by_method
SELECT method,
       count(*) FILTER (WHERE status = 'settled') AS settled,
       count(*) FILTER (WHERE status <> 'settled') AS other,
       round(100.0 * count(*) FILTER (WHERE status = 'settled') / count(*), 1) AS pct
FROM payments
GROUP BY method
ORDER BY pct DESC, method;

-- name: grouping_sets
SELECT co.region, o.currency, count(*) AS orders
FROM orders o
JOIN customers c ON c.id = o.customer_id
LEFT JOIN countries co ON co.code = c.country_code
GROUP BY GROUPING SETS ((co.region, o.currency), (co.region), ())
ORDER BY co.region NULLS LAST, o.currency NULLS LAST

-- name: rollup_department
SELECT CASE WHEN grouping(department) = 1 THEN 'all' ELSE department END AS department,
       CASE WHEN GROUPING(title) = 1 THEN '(subtotal)' ELSE title END AS title,
       count(*) AS heads, sum(salary_cents) AS payroll
FROM employees
GROUP BY ROLLUP (department, title)
ORDER BY grouping(department), department, grouping(title), title

-- name: cube_status_currency
-- unordered
SELECT status, currency, COUNT(*), SUM(discount_cents)
FROM orders
GROUP BY CUBE (status, currency)
HAVING COUNT(*) > 1

-- name: months_without_gaps
SELECT to_char(m.month, 'YYYY-MM') AS month, count(o.id) AS orders
FROM generate_series('2024-01-01'::timestamp, '2024-06-01'::timestamp, interval '1 month') AS m(month)
LEFT JOIN orders o ON date_trunc('month', o.ordered_at) = m.month
GROUP BY m.month
ORDER BY m.month;

-- name: daily_sales_in_range
-- args: ["2024-02-10", "2024-02-29"]
SELECT d::date AS day, coalesce(s.cents, 0) AS cents
FROM generate_series($1::date, $2::date, '1 day') d
LEFT JOIN (
    SELECT o.ordered_at::date AS day, sum(oi.quantity * oi.unit_price_cents) AS cents
    FROM orders o
    JOIN order_items oi ON oi.order_id = o.id
    WHERE o.status NOT IN ('cancelled', 'returned')
    GROUP BY 1
) s ON s.day = d::date
ORDER BY 1

-- name: recursive_week_calendar
WITH RECURSIVE weeks AS (
    SELECT DATE '2024-01-01' AS monday
    UNION ALL
    SELECT monday + 7 FROM weeks WHERE monday + 7 < DATE '2024-07-01'
)
SELECT w.monday, count(e.id) AS events, count(DISTINCT e.customer_id) AS people
FROM weeks w
LEFT JOIN events e ON e.occurred_at >= w.monday AND e.occurred_at < w.monday + 7
GROUP BY w.monday
ORDER BY w.monday

-- name: calendar_weekend_orders
SELECT cal.month_start, cal.is_weekend, count(o.id) AS orders
FROM calendar cal
LEFT JOIN orders o ON o.ordered_at::date = cal.day
GROUP BY cal.month_start, cal.is_weekend
ORDER BY cal.month_start, cal.is_weekend;

-- name: category_tree
WITH RECURSIVE tree AS (
    SELECT id, parent_id, name, 1 AS depth, name::text AS path
    FROM categories
    WHERE parent_id IS NULL
  UNION ALL
    SELECT c.id, c.parent_id, c.name, t.depth + 1, t.path || ' > ' || c.name
    FROM categories c
    JOIN tree t ON c.parent_id = t.id
)
SELECT id, repeat('  ', depth - 1) || name AS label, path
FROM tree
ORDER BY path;

-- name: category_tree_depth_limit
-- args: [3, "Home"]
with recursive tree(id, name, depth, ids) as (
  select c.id, c.name, 1, array[c.id] from categories c where c.parent_id is null and c.name = $2
  union all
  select k.id, k.name, t.depth+1, t.ids || k.id
  from tree t join categories k on k.parent_id = t.id
  where t.depth < $1 and not k.id = any(t.ids)
)
select id, name, depth, array_to_string(ids, '/') as ids from tree order by ids

-- name: category_rollup_sales
WITH RECURSIVE closure AS (
    SELECT id AS root_id, id FROM categories
    UNION ALL
    SELECT cl.root_id, c.id FROM closure cl INNER JOIN categories c ON c.parent_id = cl.id
)
SELECT root.name, coalesce(sum(oi.quantity * oi.unit_price_cents), 0) AS cents, count(DISTINCT p.id) AS products
FROM categories root
JOIN closure cl ON cl.root_id = root.id
LEFT JOIN products p ON p.category_id = cl.id
LEFT JOIN order_items oi ON oi.product_id = p.id
GROUP BY root.id, root.name
ORDER BY cents DESC, root.name

-- name: org_chart
WITH RECURSIVE chart AS (
    SELECT e.id, e.name, e.title, 0 AS lvl, ARRAY[e.name::text] AS chain
    FROM employees e WHERE e.manager_id IS NULL
    UNION ALL
    SELECT e.id, e.name, e.title, chart.lvl + 1, chart.chain || e.name::text
    FROM employees e, chart
    WHERE e.manager_id = chart.id
)
SELECT lvl, name, title, array_to_string(chain, ' / ') AS chain FROM chart ORDER BY chain

-- name: manager_span
WITH RECURSIVE below AS (
    SELECT manager_id AS boss, id FROM employees WHERE manager_id IS NOT NULL
    UNION
    SELECT b.boss, e.id FROM below b JOIN employees e ON e.manager_id = b.id
)
SELECT m.id, m.name,
       (SELECT count(*) FROM employees d WHERE d.manager_id = m.id) AS direct,
       count(b.id) AS total,
       sum(x.salary_cents) AS payroll_below
FROM employees m
JOIN below b ON b.boss = m.id
JOIN employees x ON x.id = b.id
GROUP BY m.id, m.name
ORDER BY total DESC, m.id;

-- name: chain_of_command
-- args: [6]
WITH RECURSIVE up AS (
    SELECT id, manager_id, name, 0 AS step FROM employees WHERE id = $1
    UNION ALL
    SELECT e.id, e.manager_id, e.name, up.step + 1
    FROM employees e JOIN up ON e.id = up.manager_id
)
SELECT string_agg(name, ' -> ' ORDER BY step, name) AS chain, max(step) AS levels FROM up

-- name: customers_without_orders
SELECT c.id, c.name, c.email
FROM customers c
WHERE NOT EXISTS (SELECT 1 FROM orders o WHERE o.customer_id = c.id)
ORDER BY c.id;

-- name: products_never_sold
SELECT p.sku, p.name
FROM products p
WHERE p.id NOT IN (SELECT oi.product_id FROM order_items oi WHERE oi.product_id IS NOT NULL)
ORDER BY p.sku

-- name: orders_without_payment
SELECT o.number, o.status, o.ordered_at
FROM orders o
LEFT JOIN payments p ON p.order_id = o.id
WHERE p.id IS NULL AND o.status != 'cancelled'
ORDER BY o.number

-- name: buyers_of_a_sku
-- args: ["SKU-001"]
SELECT c.name, c.email
FROM customers c
WHERE EXISTS (
    SELECT 1
    FROM orders o
    JOIN order_items oi ON oi.order_id = o.id
    JOIN products p ON p.id = oi.product_id
    WHERE o.customer_id = c.id AND p.sku = $1)
ORDER BY c.name;

-- name: orders_with_everything_cheap
SELECT o.number FROM orders o
WHERE NOT EXISTS (
        SELECT * FROM order_items i
        WHERE i.order_id = o.id
          AND NOT EXISTS (SELECT * FROM products p WHERE p.id = i.product_id AND p.price_cents < 5000))
ORDER BY o.number

-- name: customer_overview
SELECT c.id, c.name,
       (SELECT count(*) FROM orders o WHERE o.customer_id = c.id) AS orders,
       (SELECT max(o.ordered_at) FROM orders o WHERE o.customer_id = c.id) AS last_order,
       (SELECT sum(p.amount_cents) FROM payments p JOIN orders o ON o.id = p.order_id
         WHERE o.customer_id = c.id AND p.status = 'settled') AS paid_cents,
       EXISTS (SELECT 1 FROM subscriptions s WHERE s.customer_id = c.id AND s.ends_on IS NULL) AS subscribed
FROM customers c
ORDER BY c.id

-- name: visits_by_campaign
SELECT e.payload->'utm'->>'source' AS source, e.payload #>> '{utm,campaign}' AS campaign,
       count(*) AS visits, round(avg((e.payload->>'duration_ms')::numeric)) AS avg_ms
FROM events e
WHERE e.kind = 'visit' AND e.payload @> '{"utm": {}}'
GROUP BY 1, 2
ORDER BY visits DESC, source, campaign

-- name: events_with_coupon
SELECT e.id, e.customer_id, e.payload->>'coupon' AS coupon, jsonb_array_length(e.payload->'items') AS lines
FROM events e
WHERE e.payload ? 'coupon'
ORDER BY e.id;

-- name: cart_items_unnested
SELECT item->>'sku' AS sku, p.name, sum((item->>'qty')::int) AS wanted, count(DISTINCT e.customer_id) AS people
FROM events e
CROSS JOIN LATERAL jsonb_array_elements(e.payload->'items') AS item
JOIN products p ON p.sku = item->>'sku'
WHERE e.kind = 'cart'
GROUP BY 1, 2
ORDER BY wanted DESC, sku, p.name

-- name: product_attribute_keys
SELECT a.key, count(*) AS used, min(a.value) AS sample
FROM products p, jsonb_each_text(p.attributes) AS a(key, value)
GROUP BY a.key
ORDER BY used DESC, a.key

-- name: products_by_size
-- args: ["[\"M\"]"]
SELECT p.sku, p.name, jsonb_path_query_first(p.attributes, '$.origin.country') #>> '{}' AS origin
FROM products p
WHERE p.attributes->'sizes' @> $1::jsonb
ORDER BY p.sku

-- name: order_lines_as_text
SELECT o.number,
       string_agg(oi.quantity || 'x ' || p.name, ', ' ORDER BY oi.line_no) AS lines,
       array_agg(p.sku ORDER BY p.sku) AS skus,
       jsonb_agg(jsonb_build_object('sku', p.sku, 'qty', oi.quantity) ORDER BY oi.line_no) AS payload
FROM orders o
JOIN order_items oi ON oi.order_id = o.id
JOIN products p ON p.id = oi.product_id
GROUP BY o.id, o.number
ORDER BY o.id

-- name: orders_by_id_list
-- args: ["{1,4,9,15}"]
SELECT o.id, o.number, o.status, c.name
FROM orders o
LEFT JOIN customers c ON c.id = o.customer_id
WHERE o.id = ANY($1::int[])
ORDER BY o.id

-- name: products_with_any_tag
-- args: ["{new,eco}"]
SELECT DISTINCT p.sku, p.name, p.price_cents
FROM products p
JOIN product_tags pt ON pt.product_id = p.id
JOIN tags t ON t.id = pt.tag_id
WHERE t.name = ANY($1::text[]) AND p.active
ORDER BY p.sku;

-- name: products_with_all_tags
-- args: ["sale", "gift"]
SELECT p.id, p.name
FROM products p
WHERE p.id IN (
    SELECT pt.product_id
    FROM product_tags pt
    JOIN tags t ON t.id = pt.tag_id
    WHERE t.name IN ($1, $2)
    GROUP BY pt.product_id
    HAVING count(*) = 2)
ORDER BY p.id

-- name: tag_pairs
SELECT t1.name AS first, t2.name AS second, count(*) AS products
FROM product_tags a
JOIN product_tags b ON b.product_id = a.product_id AND b.tag_id > a.tag_id
JOIN tags t1 ON t1.id = a.tag_id
JOIN tags t2 ON t2.id = b.tag_id
GROUP BY 1, 2
ORDER BY products DESC, 1, 2

-- name: tag_revenue_share
SELECT t.name, coalesce(sum(oi.quantity * oi.unit_price_cents), 0) AS cents,
       round(100.0 * coalesce(sum(oi.quantity * oi.unit_price_cents), 0)
             / (SELECT sum(quantity * unit_price_cents) FROM order_items), 2) AS pct
FROM tags t
LEFT JOIN product_tags pt ON pt.tag_id = t.id
LEFT JOIN order_items oi ON oi.product_id = pt.product_id
GROUP BY t.id
ORDER BY cents DESC, t.name

-- name: untagged_products
SELECT p.sku, (SELECT count(*) FROM product_tags pt WHERE pt.product_id = p.id) AS tags
FROM products p
WHERE p.id NOT IN (SELECT pt.product_id FROM product_tags pt JOIN tags t ON t.id = pt.tag_id WHERE t.color IN ('red', 'green'))
ORDER BY tags, p.sku

-- name: tag_usage_from_join_table
SELECT tag_id, count(*) AS uses
FROM product_tags
GROUP BY tag_id
HAVING count(*) > 1
ORDER BY uses DESC, tag_id

-- name: activity_feed
-- args: [10, 0]
SELECT 'order' AS what, o.number AS ref, o.ordered_at AS at FROM orders o
UNION ALL
SELECT 'payment', p.method || ' ' || p.amount_cents, p.paid_at FROM payments p WHERE p.status = 'settled'
UNION ALL
SELECT 'signup', c.email, c.signed_up_on::timestamp FROM customers c
ORDER BY at DESC, what, ref
LIMIT $1 OFFSET $2

-- name: visitors_who_never_bought
SELECT customer_id FROM events WHERE kind = 'visit'
EXCEPT
SELECT customer_id FROM orders
ORDER BY customer_id;

-- name: subscribers_who_order
SELECT c.id, c.name FROM customers c JOIN subscriptions s ON s.customer_id = c.id WHERE s.ends_on IS NULL
INTERSECT
SELECT c.id, c.name FROM customers c JOIN orders o ON o.customer_id = c.id WHERE o.ordered_at >= '2024-03-01'
ORDER BY 1

-- name: best_and_worst_products
(SELECT p.sku, p.price_cents - p.cost_cents AS margin FROM products p ORDER BY margin DESC, p.sku LIMIT 3)
UNION ALL
(SELECT p.sku, p.price_cents - p.cost_cents FROM products p ORDER BY 2, p.sku LIMIT 3)
ORDER BY margin DESC, sku

-- name: mixed_set_operations
SELECT email FROM customers WHERE segment = 'retail' AND country_code = 'FR'
UNION
(SELECT c.email FROM customers c WHERE c.credit_limit_cents > 400000
 EXCEPT
 SELECT c.email FROM customers c, orders o WHERE o.customer_id = c.id AND o.status = 'returned')
ORDER BY email

-- name: open_balance_per_customer
WITH lines AS (
    SELECT order_id, sum(quantity * unit_price_cents) AS gross FROM order_items GROUP BY order_id
), net AS (
    SELECT o.id, o.customer_id, l.gross - o.discount_cents AS net
    FROM orders o JOIN lines l ON l.order_id = o.id
    WHERE o.status NOT IN ('cancelled', 'returned')
), paid AS (
    SELECT order_id, sum(amount_cents) AS paid FROM payments WHERE status = 'settled' GROUP BY order_id
), balance AS (
    SELECT n.customer_id, sum(n.net) AS net, sum(coalesce(p.paid, 0)) AS paid
    FROM net n LEFT JOIN paid p ON p.order_id = n.id
    GROUP BY n.customer_id
)
SELECT c.name, b.net, b.paid, b.net - b.paid AS open_cents,
       CASE WHEN c.credit_limit_cents IS NULL THEN 'no limit'
            WHEN b.net - b.paid > c.credit_limit_cents THEN 'over' ELSE 'ok' END AS credit
FROM balance b JOIN customers c ON c.id = b.customer_id
WHERE b.net > b.paid
ORDER BY open_cents DESC, c.name;

-- name: month_over_month
WITH m AS (
    SELECT date_trunc('month', paid_at) AS month, sum(amount_cents) AS cents
    FROM payments
    WHERE status = 'settled'
    GROUP BY 1
)
SELECT cur.month::date, cur.cents, prev.cents AS before,
       round(100.0 * (cur.cents - prev.cents) / nullif(prev.cents, 0), 1) AS growth
FROM m cur
LEFT JOIN m prev ON prev.month = cur.month - interval '1 month'
ORDER BY cur.month

-- name: cte_shadows_orders
WITH orders AS (
    SELECT * FROM orders WHERE status = 'shipped'
)
SELECT c.name, count(*) AS shipped, min(orders.shipped_at - orders.ordered_at) AS fastest
FROM orders
JOIN customers c ON c.id = orders.customer_id
GROUP BY c.id, c.name
ORDER BY shipped DESC, c.name

-- name: colleagues_same_manager
SELECT a.name, b.name AS colleague, m.name AS manager
FROM employees a
JOIN employees b ON b.manager_id = a.manager_id AND b.id > a.id
JOIN employees m ON m.id = a.manager_id
ORDER BY a.id, b.id;

-- name: referral_pairs
SELECT c.name AS customer, r.name AS referrer, rr.name AS referrers_referrer
FROM customers c
     LEFT OUTER JOIN customers r ON r.id = c.referred_by
     LEFT OUTER JOIN customers rr ON rr.id = r.referred_by
ORDER BY c.id

-- name: legacy_comma_join
select o.number, c.name, e.name as rep, p.sku, oi.quantity
from orders o, customers c, employees e, order_items oi, products p
where o.customer_id=c.id and o.employee_id=e.id and oi.order_id=o.id and oi.product_id=p.id
  and (c.segment='wholesale' or oi.quantity>=10)
order by o.number, oi.line_no;

-- name: parenthesised_joins
SELECT c.name, o.number, pay.method
FROM customers c
LEFT JOIN (orders o INNER JOIN payments pay ON pay.order_id = o.id AND pay.status = 'settled')
       ON o.customer_id = c.id
WHERE c.segment = 'retail'
ORDER BY c.id, o.id, pay.id

-- name: right_join_countries
SELECT co.code, co.name, count(c.id) AS customers
FROM customers c
RIGHT JOIN countries co ON co.code = c.country_code
GROUP BY co.code, co.name
ORDER BY customers DESC, co.code

-- name: right_join_categories
SELECT cat.name, p.sku, p.active
FROM products p
RIGHT OUTER JOIN categories cat ON cat.id = p.category_id AND p.active
ORDER BY cat.id, p.sku

-- name: full_join_month_signups_orders
SELECT coalesce(s.month, o.month) AS month, coalesce(s.signups, 0) AS signups, coalesce(o.orders, 0) AS orders
FROM (SELECT to_char(signed_up_on, 'YYYY-MM') AS month, count(*) AS signups FROM customers GROUP BY 1) s
FULL JOIN (SELECT to_char(ordered_at, 'YYYY-MM') AS month, count(*) AS orders FROM orders GROUP BY 1) o
       ON o.month = s.month
ORDER BY 1;

-- name: full_join_tables
SELECT e.id AS employee, e.name, o.number
FROM employees e
FULL OUTER JOIN orders o ON o.employee_id = e.id
ORDER BY e.id NULLS LAST, o.number

-- name: join_using
SELECT order_id, sum(quantity) AS units, max(amount_cents) AS paid
FROM order_items
JOIN payments USING (order_id)
WHERE status = 'settled'
GROUP BY order_id
ORDER BY order_id

-- name: left_join_using
SELECT customer_id, o.number, s.plan, s.monthly_cents
FROM orders o
LEFT JOIN subscriptions s USING (customer_id)
ORDER BY customer_id, o.number, s.plan, s.monthly_cents

-- name: join_using_rates
SELECT currency, count(*) AS orders, max(rate) AS best_rate
FROM orders
INNER JOIN exchange_rates USING (currency)
WHERE rate_date = date_trunc('month', ordered_at)
GROUP BY currency
ORDER BY currency

-- name: natural_join_tags
SELECT tag_id, sum(quantity) AS units
FROM order_items NATURAL JOIN product_tags
GROUP BY tag_id
ORDER BY units DESC, tag_id

-- name: or_heavy_search
-- args: ["%rush%", "SO-1001", 1500]
SELECT o.number, o.status, o.note
FROM orders o
JOIN customers c ON c.id = o.customer_id
WHERE o.note ILIKE $1
   OR o.number = $2
   OR o.discount_cents >= $3
   OR c.credit_limit_cents IS NULL AND o.status = 'new'
   OR (c.country_code = 'US' OR c.country_code = 'CA') AND NOT (o.status = 'shipped' OR o.currency = 'EUR')
ORDER BY o.number

-- name: above_average_customers
SELECT c.name, sum(p.amount_cents) AS paid
FROM customers c
JOIN orders o ON o.customer_id = c.id
JOIN payments p ON p.order_id = o.id
WHERE p.status = 'settled'
GROUP BY c.id, c.name
HAVING sum(p.amount_cents) > (
    SELECT avg(t.paid) FROM (
        SELECT sum(p2.amount_cents) AS paid
        FROM payments p2 JOIN orders o2 ON o2.id = p2.order_id
        WHERE p2.status = 'settled'
        GROUP BY o2.customer_id) t)
ORDER BY paid DESC;

-- name: worklist_by_priority
SELECT o.number, o.status, c.segment
FROM orders o JOIN customers c ON o.customer_id = c.id
WHERE o.status IN ('new', 'paid')
ORDER BY CASE WHEN c.segment = 'wholesale' THEN 0 WHEN o.note IS NOT NULL THEN 1 ELSE 2 END,
         o.ordered_at DESC, o.number

-- name: paged_products
-- args: ["%e%", 5, 2]
SELECT id, sku, name, price_cents, count(*) OVER () AS total_rows
FROM products
WHERE name LIKE $1
ORDER BY price_cents DESC, sku
LIMIT $2 OFFSET $3

-- name: keyset_page
-- args: ["2024-02-14 08:55:00", 5]
SELECT id, number, ordered_at
FROM orders
WHERE (ordered_at, id) > ($1::timestamp, $2)
ORDER BY ordered_at, id
FETCH FIRST 4 ROWS ONLY

-- name: window_over_aggregate
SELECT p.category_id, date_trunc('quarter', o.ordered_at)::date AS quarter,
       sum(oi.quantity * oi.unit_price_cents) AS cents,
       sum(sum(oi.quantity * oi.unit_price_cents)) OVER (PARTITION BY p.category_id ORDER BY date_trunc('quarter', o.ordered_at)) AS cumulated,
       rank() OVER (PARTITION BY date_trunc('quarter', o.ordered_at) ORDER BY sum(oi.quantity * oi.unit_price_cents) DESC) AS rnk
FROM orders o
JOIN order_items oi ON oi.order_id = o.id
JOIN products p ON p.id = oi.product_id
GROUP BY p.category_id, date_trunc('quarter', o.ordered_at)
ORDER BY 1, 2

-- name: price_bands
SELECT b.label, count(p.id) AS products, array_agg(p.sku ORDER BY p.sku) FILTER (WHERE p.id IS NOT NULL) AS skus
FROM (VALUES (1, 'low', 0, 2000), (2, 'mid', 2000, 6000), (3, 'high', 6000, 1000000)) AS b(pos, label, lo, hi)
LEFT JOIN products p ON p.price_cents >= b.lo AND p.price_cents < b.hi
GROUP BY b.pos, b.label
ORDER BY b.pos

-- name: nested_three_deep
SELECT band, count(*) AS customers, sum(total) AS cents
FROM (
    SELECT customer_id, total, CASE WHEN total > 50000 THEN 'big' WHEN total > 20000 THEN 'medium' ELSE 'small' END AS band
    FROM (
        SELECT v.customer_id, sum(v.cents) AS total
        FROM (
            SELECT o.customer_id, oi.quantity * oi.unit_price_cents AS cents
            FROM orders o JOIN order_items oi ON oi.order_id = o.id
            WHERE o.status <> 'cancelled'
        ) v
        GROUP BY v.customer_id
    ) per_customer
) banded
GROUP BY band
ORDER BY cents DESC

-- name: shouting_with_comments
/* Sales board, top 5.
   Owner: the sales team -- do not touch
   /* nested: old WHERE o.status = 'paid' */ */
SELECT   C.NAME , COUNT ( * ) AS CNT -- number of orders, not lines
FROM CUSTOMERS C , ORDERS O  -- WHERE is below
WHERE O.CUSTOMER_ID=C.ID     -- AND O.STATUS = 'new'
  AND	O.NUMBER NOT LIKE '%--%' AND O.STATUS <> '/* none */'
GROUP BY C.ID , C.NAME
ORDER BY CNT DESC , C.NAME
LIMIT 5 ;  -- that is all

-- name: sloppy_one_liner
select id,number,(select name from customers where id=customer_id)as customer from orders where note is not null and(status='shipped'or status='paid')order by id

-- name: hinted
SELECT /*+ HashJoin(o c) Leading((o c)) */ c.segment, count(*) FILTER (WHERE o.employee_id IS NULL) AS web, count(o.employee_id) AS rep
FROM orders AS o
JOIN customers AS c ON (c.id = o.customer_id)
GROUP BY c.segment
ORDER BY c.segment

-- name: quoted_identifiers
SELECT "o"."number" AS "Order No", "c"."name" AS "select"
FROM "orders" AS "o" INNER JOIN "public"."customers" AS "c" ON "c"."id" = "o"."customer_id"
WHERE "o"."status" = E'new' OR "o"."note" = $q$leave at the door$q$
ORDER BY "o"."number"

-- name: revenue_in_euro
SELECT to_char(o.ordered_at, 'YYYY-MM') AS month,
       round(sum(oi.quantity * oi.unit_price_cents * r.rate)) AS eur_cents
FROM orders o
JOIN order_items oi ON oi.order_id = o.id
JOIN LATERAL (
    SELECT er.rate FROM exchange_rates er
    WHERE er.currency = o.currency AND er.rate_date <= o.ordered_at
    ORDER BY er.rate_date DESC LIMIT 1
) r ON true
GROUP BY 1
ORDER BY 1;

-- name: converted_payments
WITH rated AS (
    SELECT p.id, p.amount_cents, o.currency, er.rate, row_number() OVER (PARTITION BY p.id ORDER BY er.rate_date DESC) AS rn
    FROM payments p
    JOIN orders o ON o.id = p.order_id
    JOIN exchange_rates er ON er.currency = o.currency AND er.rate_date <= p.paid_at::date
    WHERE p.status = 'settled'
)
SELECT currency, sum(amount_cents) AS cents, round(sum(amount_cents * rate), 2) AS eur_cents
FROM rated WHERE rn = 1
GROUP BY ROLLUP (currency)
ORDER BY currency NULLS LAST

-- name: text_search
-- args: ["k"]
SELECT 'product' AS kind, p.id, p.name FROM products p WHERE p.name ILIKE '%' || $1 || '%'
UNION
SELECT 'customer', c.id, c.name FROM customers c WHERE c.name ILIKE '%' || $1 || '%' OR c.email ILIKE $1 || '%'
UNION
SELECT 'note', o.id, o.note FROM orders o WHERE o.note LIKE '100\%%' OR o.note ~* ('\m' || $1)
ORDER BY kind, id

-- name: slow_shipments
SELECT o.number, o.shipped_at - o.ordered_at AS took,
       extract(epoch FROM o.shipped_at - o.ordered_at) / 3600 AS hours
FROM orders o
WHERE o.shipped_at > o.ordered_at + interval '3 days'
   OR (o.shipped_at IS NULL AND o.status = 'paid' AND o.ordered_at < timestamp '2024-06-30 00:00:00' - interval '1 month')
ORDER BY took DESC NULLS LAST, o.number;

-- name: casts_and_formats
SELECT CAST(o.id AS text) || ':' || o.number AS ref, o.ordered_at::date::text AS day,
       (oi.unit_price_cents::numeric / 100)::numeric(10,2) AS price, CAST(p.attributes->>'weight_g' AS integer) AS grams
FROM orders o
JOIN order_items oi ON o.id = oi.order_id
JOIN products p ON oi.product_id = p.id
WHERE o.ordered_at::date BETWEEN '2024-02-01'::date AND '2024-03-31'::date
ORDER BY o.id, oi.line_no

-- name: margins
SELECT p.sku, p.price_cents - p.cost_cents AS margin,
       round((p.price_cents - p.cost_cents) * 100.0 / NULLIF(p.price_cents, 0), 1) AS pct,
       COALESCE(p.attributes->>'color', 'none') AS color,
       GREATEST(p.price_cents, 2 * p.cost_cents) AS target
FROM products p
WHERE COALESCE(p.attributes->>'color', 'none') IN ('green', 'white', 'black', 'none')
ORDER BY pct DESC, p.sku

-- name: tenant_bound_by_hand_on_one
-- args: ["a", "shipped"]
SELECT o.number, c.name, p.amount_cents
FROM orders o
JOIN customers c ON c.id = o.customer_id
LEFT JOIN payments p ON p.order_id = o.id AND p.status = 'settled'
WHERE o.tenant_id = $1 AND o.status = $2
ORDER BY o.number, c.name, p.id, p.amount_cents

-- name: joined_on_tenant_too
SELECT o.number, c.name, e.name AS rep, sum(oi.quantity) AS units
FROM orders o
JOIN customers c ON c.tenant_id = o.tenant_id AND c.id = o.customer_id
LEFT JOIN employees e ON e.tenant_id = o.tenant_id AND e.id = o.employee_id
JOIN order_items oi ON (oi.tenant_id, oi.order_id) = (o.tenant_id, o.id)
GROUP BY o.tenant_id, o.id, o.number, c.name, e.name
ORDER BY o.number, c.name

-- name: joined_using_tenant
SELECT customer_id, o.number, s.plan
FROM orders o JOIN subscriptions s USING (tenant_id, customer_id)
WHERE o.ordered_at BETWEEN s.starts_on AND coalesce(s.ends_on, '2099-12-31')
ORDER BY customer_id, o.number, s.plan

-- name: mrr_by_month
SELECT to_char(m, 'YYYY-MM') AS month,
       count(s.id) AS active, coalesce(sum(s.monthly_cents), 0) AS mrr,
       count(s.id) FILTER (WHERE date_trunc('month', s.starts_on) = m) AS started
FROM generate_series(timestamp '2023-11-01', timestamp '2024-06-01', interval '1 month') AS m
LEFT JOIN subscriptions s ON s.starts_on < m + interval '1 month' AND (s.ends_on IS NULL OR s.ends_on >= m)
GROUP BY m
ORDER BY m;

-- name: overlapping_subscriptions
SELECT a.id, b.id AS other, a.plan || '/' || b.plan AS plans, c.name
FROM subscriptions a
JOIN subscriptions b ON b.id > a.id
 AND daterange(a.starts_on, a.ends_on, '[]') && daterange(b.starts_on, b.ends_on, '[]')
 AND b.monthly_cents > a.monthly_cents
JOIN customers c ON c.id = a.customer_id
ORDER BY a.id, b.id, c.name

-- name: plan_changes
SELECT customer_id, previous, plan, starts_on - ended AS gap_days
FROM (
    SELECT s.customer_id, s.plan, s.starts_on,
           lag(s.plan) OVER w AS previous, lag(s.ends_on) OVER w AS ended
    FROM subscriptions s
    WINDOW w AS (PARTITION BY s.customer_id ORDER BY s.starts_on, s.id)
) x
WHERE previous IS NOT NULL
ORDER BY customer_id, starts_on, previous

-- name: days_between_orders
SELECT customer_id, number, ordered_at::date - lag(ordered_at::date) OVER (PARTITION BY customer_id ORDER BY ordered_at, id) AS days_since,
       lead(number, 1, 'none') OVER (PARTITION BY customer_id ORDER BY ordered_at, id) AS next_order
FROM orders
ORDER BY customer_id, ordered_at, id

-- name: first_and_last_value
SELECT DISTINCT e.department,
       first_value(e.name) OVER w AS top_earner, last_value(e.name) OVER w AS lowest,
       nth_value(e.name, 2) OVER w AS second
FROM employees e
WINDOW w AS (PARTITION BY e.department ORDER BY e.salary_cents DESC, e.id RANGE BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
ORDER BY e.department;

-- name: exchange_rate_trend
SELECT currency, rate_date, rate, rate - lag(rate) OVER (PARTITION BY currency ORDER BY rate_date) AS change
FROM exchange_rates
WHERE currency <> 'EUR'
ORDER BY currency, rate_date

-- name: fully_bound_by_hand
-- args: ["a"]
SELECT c.name, count(o.id) AS orders
FROM customers c
LEFT JOIN orders o ON o.customer_id = c.id AND o.tenant_id = $1
WHERE c.tenant_id = $1
GROUP BY c.id, c.name
ORDER BY c.id

-- name: highest_paid_by_department
SELECT department, name, salary_cents
FROM employees
WHERE (department, salary_cents) IN (SELECT department, max(salary_cents) FROM employees GROUP BY department)
ORDER BY department, name

-- name: earns_more_than_all_reps
SELECT e.name, e.salary_cents
FROM employees e
WHERE e.salary_cents > ALL (SELECT r.salary_cents FROM employees r WHERE r.title LIKE '%Rep')
  AND e.id = ANY (SELECT manager_id FROM employees)
ORDER BY e.salary_cents DESC;

-- name: labels_with_ordinality
SELECT e.id, l.ord, l.label
FROM events e, jsonb_array_elements_text(e.payload->'labels') WITH ORDINALITY AS l(label, ord)
WHERE e.kind = 'purchase'
ORDER BY e.id, l.ord, l.label

-- name: functional_dependency
SELECT p.*, sum(oi.quantity) AS sold
FROM products p
LEFT JOIN order_items oi ON oi.product_id = p.id
GROUP BY p.id
ORDER BY sold DESC NULLS LAST, p.id

-- name: lock_open_orders
SELECT o.id, o.number, c.email
FROM orders o
JOIN customers c ON c.id = o.customer_id
WHERE o.status = 'new'
ORDER BY o.id, c.email
FOR UPDATE OF o SKIP LOCKED

-- name: materialized_cte
WITH big AS MATERIALIZED (
    SELECT order_id FROM order_items GROUP BY order_id HAVING sum(quantity * unit_price_cents) > 25000
), small AS NOT MATERIALIZED (
    SELECT order_id FROM order_items GROUP BY order_id HAVING sum(quantity * unit_price_cents) < 5000
)
SELECT o.number, o.id IN (SELECT order_id FROM big) AS is_big, o.id IN (SELECT order_id FROM small) AS is_small
FROM orders o
ORDER BY o.number

-- name: price_changed_since_order
SELECT o.number, p.sku, oi.unit_price_cents, p.price_cents
FROM order_items oi
JOIN products p ON p.id = oi.product_id
JOIN orders o ON o.id = oi.order_id
WHERE oi.unit_price_cents IS DISTINCT FROM p.price_cents
ORDER BY o.number, p.sku

-- name: histogram
SELECT width_bucket(v.cents, 0, 60000, 6) AS bucket, count(*) AS orders, min(v.cents), max(v.cents)
FROM (SELECT sum(quantity * unit_price_cents) AS cents FROM order_items GROUP BY order_id) AS v
GROUP BY bucket
ORDER BY bucket

-- name: customers_by_mail_domain
SELECT split_part(lower(email), '@', 2) AS domain, count(*) AS customers, string_agg(DISTINCT segment, ',' ORDER BY segment) AS segments
FROM customers
GROUP BY 1
HAVING count(*) > 1
ORDER BY customers DESC, domain;

-- name: dashboard_numbers
SELECT (SELECT count(*) FROM customers) AS customers,
       (SELECT count(*) FROM orders WHERE status = 'new') AS open_orders,
       (SELECT sum(amount_cents) FROM payments WHERE status = 'settled') AS settled,
       (SELECT name FROM products ORDER BY price_cents DESC, id LIMIT 1) AS dearest,
       (SELECT json_object_agg(plan, n ORDER BY plan) FROM (SELECT plan, count(*) AS n FROM subscriptions WHERE ends_on IS NULL GROUP BY plan) s) AS plans

-- name: count_distinct_combinations
SELECT count(*) AS pairs, count(DISTINCT customer_id) AS customers, count(DISTINCT (customer_id, employee_id)) AS combos
FROM orders
WHERE employee_id IS NOT NULL

-- name: correlated_latest_price_in_join
SELECT o.number, c.name
FROM orders o
JOIN customers c ON c.id = o.customer_id AND o.ordered_at = (SELECT max(x.ordered_at) FROM orders x WHERE x.customer_id = c.id)
WHERE o.id NOT IN (SELECT order_id FROM payments WHERE status = 'failed')
ORDER BY o.number, c.name

-- name: update_prices
-- kind: write
-- args: [10, "SKU-00%"]
UPDATE products SET price_cents = price_cents + price_cents * $1 / 100
WHERE sku LIKE $2 AND active OR price_cents < 1000

-- name: update_all_rows
-- kind: write
UPDATE order_items SET unit_price_cents = unit_price_cents - 1;

-- name: update_from_payments
-- kind: write
UPDATE orders AS o
SET status = 'paid', note = coalesce(o.note, '') || ' [' || p.method || ']'
FROM payments AS p
JOIN customers c ON true
WHERE p.order_id = o.id AND c.id = o.customer_id AND c.segment = 'wholesale' AND p.status = 'settled' AND p.amount_cents > 20000

-- name: update_with_correlated_subquery
-- kind: write
UPDATE customers c
SET credit_limit_cents = (SELECT coalesce(sum(p.amount_cents), 0) * 2 FROM payments p JOIN orders o ON o.id = p.order_id WHERE o.customer_id = c.id)
WHERE c.credit_limit_cents IS NULL OR EXISTS (SELECT 1 FROM events e WHERE e.customer_id = c.id AND e.payload ? 'coupon');

-- name: update_row_from_subselect
-- kind: write
UPDATE subscriptions s
SET (plan, monthly_cents) = (SELECT x.plan, x.monthly_cents FROM subscriptions x WHERE x.plan <> s.plan ORDER BY x.monthly_cents DESC, x.id LIMIT 1)
WHERE s.plan = 'basic' AND s.ends_on IS NULL

-- name: update_returning
-- kind: write
-- unordered
-- args: ["operations"]
UPDATE employees SET salary_cents = salary_cents * 103 / 100
WHERE department = $1
RETURNING id, name, salary_cents

-- name: update_with_cte
-- kind: write
WITH slow AS (
    SELECT product_id, sum(quantity) AS units FROM order_items GROUP BY product_id HAVING sum(quantity) < 8
)
UPDATE products SET active = false, attributes = attributes || '{"slow": true}'
FROM slow
WHERE slow.product_id = products.id

-- name: update_from_values
-- kind: write
UPDATE products p
SET price_cents = v.price
FROM (VALUES ('SKU-001', 5100), ('SKU-004', 1800), ('SKU-009', 1150)) AS v(sku, price)
WHERE p.sku = v.sku

-- name: update_top_n
-- kind: write
-- args: [3]
UPDATE orders SET note = 'first to ship'
WHERE id IN (SELECT id FROM orders WHERE status IN ('new', 'paid') ORDER BY ordered_at, id LIMIT $1)

-- name: delete_by_subquery
-- kind: write
DELETE FROM order_items
WHERE order_id IN (SELECT id FROM orders WHERE status = 'cancelled' OR status = 'returned')

-- name: delete_using
-- kind: write
DELETE FROM payments p
USING orders o, customers c
WHERE p.order_id = o.id AND o.customer_id = c.id AND (p.status = 'failed' OR c.segment = 'wholesale' AND p.method = 'card');

-- name: delete_not_exists
-- kind: write
DELETE FROM customers
WHERE NOT EXISTS (SELECT 1 FROM orders WHERE orders.customer_id = customers.id)
  AND NOT EXISTS (SELECT 1 FROM subscriptions s WHERE s.customer_id = customers.id)

-- name: delete_all_but_latest_event
-- kind: write
DELETE FROM events e
WHERE e.id NOT IN (
    SELECT id FROM (
        SELECT id, row_number() OVER (PARTITION BY customer_id, kind ORDER BY occurred_at DESC, id DESC) AS rn FROM events
    ) ranked WHERE rn = 1)
   OR e.kind = 'visit'

-- name: delete_returning
-- kind: write
-- unordered
DELETE FROM subscriptions WHERE ends_on < '2024-05-01' RETURNING id, plan, ends_on - starts_on AS days

-- name: delete_tag_links
-- kind: write
-- args: ["clearance"]
DELETE FROM product_tags WHERE tag_id IN (SELECT id FROM tags WHERE name = $1)

-- name: insert_values
-- kind: write
-- args: [101, "zoe@example.com", "Zoe Lind", "FR"]
INSERT INTO customers (id, email, name, country_code, segment, signed_up_on)
VALUES ($1, $2, $3, $4, 'retail', '2024-06-30')

-- name: insert_multi_row
-- kind: write
INSERT INTO events (id, customer_id, kind, occurred_at, payload) VALUES
    (201, 1, 'visit', '2024-06-30 10:00:00', '{"path": "/"}'),
    (202, (SELECT id FROM customers WHERE email = 'ben@example.org'), 'cart', '2024-06-30 10:05:00', '{"items": []}'),
    (203, (SELECT max(id) FROM customers), 'visit', '2024-06-30 11:00:00', '{}');

-- name: insert_next_number
-- kind: write
-- args: [1]
INSERT INTO orders (id, number, customer_id, status, currency, ordered_at)
SELECT max(id) + 1, 'SO-' || (max(substr(number, 4)::int) + 1), $1, 'new', 'EUR', '2024-06-30 12:00:00'
FROM orders

-- name: insert_order_totals
-- kind: write
INSERT INTO order_totals (order_id, customer_id, item_count, net_cents, paid_cents, refreshed_on)
SELECT o.id, o.customer_id, count(*), sum(oi.quantity * oi.unit_price_cents) - min(o.discount_cents),
       coalesce((SELECT sum(p.amount_cents) FROM payments p WHERE p.order_id = o.id AND p.status = 'settled'), 0), DATE '2024-06-30'
FROM orders o
JOIN order_items oi ON oi.order_id = o.id
WHERE o.status <> 'cancelled'
GROUP BY o.id, o.customer_id

-- name: insert_totals_grouped_by_ordinal
-- kind: write
INSERT INTO order_totals (order_id, item_count, net_cents)
SELECT order_id, count(*), sum(quantity * unit_price_cents)
FROM order_items
GROUP BY 1
HAVING count(*) >= 2
ORDER BY 3 DESC, 1
LIMIT 5

-- name: insert_from_union
-- kind: write
INSERT INTO tags (id, name, color)
SELECT 2000 + row_number() OVER (ORDER BY u.word), u.word, NULL
FROM (
    SELECT DISTINCT 'color-' || (attributes->>'color') AS word FROM products WHERE active
    UNION
    SELECT 'segment-' || segment FROM customers
) u

-- name: insert_copies_tenant
-- kind: write
INSERT INTO order_totals (tenant_id, order_id, customer_id, paid_cents)
SELECT o.tenant_id, o.id, o.customer_id, p.amount_cents
FROM orders o
JOIN payments p ON p.order_id = o.id
WHERE p.status = 'settled' AND p.id = (SELECT min(x.id) FROM payments x WHERE x.order_id = o.id AND x.status = 'settled')
ON CONFLICT (tenant_id, order_id) DO NOTHING

-- name: upsert_product_price
-- kind: write
INSERT INTO products (id, category_id, sku, name, price_cents, cost_cents, active, attributes, created_on)
VALUES (3001, 4, 'SKU-001', 'Iron Skillet XL', 5900, 2300, true, '{}', '2024-06-30'),
       (3002, 5, 'SKU-099', 'Bread Knife', 3200, 1200, true, '{"color": "steel"}', '2024-06-30')
ON CONFLICT (tenant_id, sku) DO UPDATE
SET name = excluded.name, price_cents = greatest(products.price_cents, excluded.price_cents);

-- name: upsert_customer_where
-- kind: write
-- args: [102, "carla@example.com", 777700]
INSERT INTO customers AS c (id, email, name, segment, signed_up_on, credit_limit_cents)
VALUES ($1, $2, 'Carla D.', 'wholesale', '2024-06-01', $3)
ON CONFLICT (tenant_id, email) DO UPDATE
SET name = EXCLUDED.name, credit_limit_cents = EXCLUDED.credit_limit_cents
WHERE c.credit_limit_cents IS NULL OR c.credit_limit_cents <> EXCLUDED.credit_limit_cents
RETURNING id, name, credit_limit_cents

-- name: insert_tag_links
-- kind: write
INSERT INTO product_tags (product_id, tag_id)
SELECT p.id, t.id
FROM products p
JOIN tags t ON t.name = 'sale'
WHERE p.price_cents > 6000
ON CONFLICT DO NOTHING

-- name: archive_cancelled_orders
-- kind: write
WITH gone AS (
    DELETE FROM orders WHERE status IN ('cancelled', 'returned') RETURNING id, customer_id
), lines AS (
    DELETE FROM order_items oi USING gone WHERE oi.order_id = gone.id RETURNING oi.order_id, oi.quantity
)
INSERT INTO order_totals (order_id, customer_id, item_count)
SELECT g.id, g.customer_id, (SELECT coalesce(sum(l.quantity), 0) FROM lines l WHERE l.order_id = g.id)
FROM gone g

-- name: ship_and_report
-- kind: write
WITH shipped AS (
    UPDATE orders SET status = 'shipped', shipped_at = '2024-06-30 09:00:00' WHERE status = 'paid' RETURNING id, number, customer_id
)
SELECT c.name, count(*) AS orders, string_agg(s.number, ', ' ORDER BY s.number) AS numbers
FROM shipped s JOIN customers c ON c.id = s.customer_id
GROUP BY c.name
ORDER BY c.name
