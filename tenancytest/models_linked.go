package tenancytest

import "gorm.io/gorm"

// Member, club and Membership are a many2many relation with a join model of the application's own, which has a tenant of
// its own too; Fan joins the same two without one.
type (
	member struct {
		ID       uint
		TenantID string `gorm:"size:40" tenancy:"tenant"`
		Name     string
		Mark     string
		Clubs    []club    `gorm:"many2many:memberships"`
		Idols    []club    `gorm:"many2many:fans"`
		Friends  []member  `gorm:"many2many:friendships"`
		Lands    []country `gorm:"many2many:member_lands"`
	}
	club struct {
		ID       uint
		TenantID string `gorm:"size:40" tenancy:"tenant"`
		Name     string
		Mark     string
		Members  []member `gorm:"many2many:memberships"`
	}
	membership struct {
		MemberID uint   `gorm:"primaryKey"`
		ClubID   uint   `gorm:"primaryKey"`
		TenantID string `gorm:"size:40" tenancy:"tenant"`
		Role     string
	}
	fan struct {
		MemberID uint `gorm:"primaryKey"`
		ClubID   uint `gorm:"primaryKey"`
		Since    int
	}
)

// setupJoins makes GORM use the join models.
func setupJoins(db *gorm.DB) error {
	if err := db.SetupJoinTable(&member{}, "Clubs", &membership{}); err != nil {
		return err
	}
	if err := db.SetupJoinTable(&club{}, "Members", &membership{}); err != nil {
		return err
	}
	return db.SetupJoinTable(&member{}, "Idols", &fan{})
}

// fillLinked makes members m1 and m2 and clubs k1 to k3: m1 is in k1 and k2, m2 in k2, m1 is a fan of k3 and of m2.
func fillLinked(raw *gorm.DB, who owner) error {
	id := string(who.id)
	var members []member
	var clubs []club
	for i, n := range []string{"1", "2", "3", "4"} {
		members = append(members, member{ID: who.from + uint(i) + 1, TenantID: id, Name: "m" + n, Mark: who.mark})
		clubs = append(clubs, club{ID: who.from + uint(i) + 1, TenantID: id, Name: "k" + n, Mark: who.mark})
	}
	m1, m2, k1, k2, k3 := members[0].ID, members[1].ID, clubs[0].ID, clubs[1].ID, clubs[2].ID
	for _, rows := range []any{
		&members, &clubs,
		&[]membership{{m1, k1, id, "player"}, {m1, k2, id, "coach"}, {m2, k2, id, "player"}},
		&[]fan{{m1, k3, 1999}, {m2, k1, 2001}},
	} {
		if err := raw.Create(rows).Error; err != nil {
			return err
		}
	}
	if err := raw.Table("friendships").Create(map[string]any{"member_id": m1, "friend_id": m2}).Error; err != nil {
		return err
	}
	return raw.Table("member_lands").Create(map[string]any{"member_id": m1, "country_id": 1}).Error
}
